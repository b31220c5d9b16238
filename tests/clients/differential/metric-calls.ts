/** Metrics: logging points, their history, samples for charts. */
import { api, ask, type Call, get, post, tokenAfter } from './call.ts';

const R = 'RUN_A_';

// Out of order in every way, twice the same point, and a step below 0.
const points = [
  [3, 5, 0],
  [1, 1, 2],
  [2, 1, 1],
  [9, 1, 2],
  [1, 1, 2],
  ['NaN', 7, 3],
  [4, 8, -2],
].map(([value, timestamp, step]) => ({ key: 's', value, timestamp, step }));

export const metricCalls: readonly Call[] = [
  ...Object.entries({ A: 0.75, B: 'NaN', D: -1, E: 2.5 }).flatMap(([key, value]) => [
    post(`log ${value}`, '/runs/log-metric', { run_id: `RUN_${key}_`, key: 'm', value: value, timestamp: 5, step: 1 }),
  ]),
  post('log infinity', '/runs/log-metric', { run_id: R, key: 'inf', value: '-Infinity', timestamp: 5 }),
  ...['inf', 'NAN', '-.5e1', '0x10'].map((text) =>
    post(`log a number written ${text}`, '/runs/log-metric', { run_id: R, key: 'text', value: text, timestamp: 5 }),
  ),
  get('numbers that were written out', '/metrics/get-history', { run_id: R, metric_key: 'text' }),
  ask('log a big step', 'POST', `${api}/runs/log-metric`, {
    data: `{"run_id": "${R}", "key": "big", "value": 1, "timestamp": 9007199254740993, "step": "9223372036854775807"}`,
    headers: { 'content-type': 'application/json' },
  }),
  post('log at a negative time', '/runs/log-metric', { run_id: R, key: 'neg', value: 1, timestamp: -1 }),
  post('log a bool', '/runs/log-metric', { run_id: R, key: 'bool', value: true, timestamp: 1 }),
  post('log without value', '/runs/log-metric', { run_id: R, key: 'v', timestamp: 1 }),
  post('log without time', '/runs/log-metric', { run_id: R, key: 'v', value: 1 }),
  post('log without key', '/runs/log-metric', { run_id: R, key: '', value: 1, timestamp: 1 }),
  post('log without run', '/runs/log-metric', { key: 'm', value: 1, timestamp: 1 }),
  post('log to an unknown run', '/runs/log-metric', { run_id: 'zz', key: 'm', value: 1, timestamp: 1 }),
  post('a metric with a value that is no number', '/runs/log-metric', {
    run_id: R,
    key: 'm',
    value: 'abc',
    timestamp: 1,
  }),
  ...['a{b', '../x', 'a//b', '/a', '.', 'a/../b', 'ä', 'x:y', 'x'.repeat(251)].flatMap((bad) => [
    post(`log key ${bad.slice(0, 9)}`, '/runs/log-metric', { run_id: R, key: bad, value: 1, timestamp: 1 }),
    post(`param key ${bad.slice(0, 9)}`, '/runs/log-parameter', { run_id: R, key: bad, value: '1' }),
    post(`tag key ${bad.slice(0, 9)}`, '/runs/set-tag', { run_id: R, key: bad, value: '1' }),
  ]),
  get('a series', '/metrics/get-history', { run_id: R, metric_key: 'm' }),
  get('a big series', '/metrics/get-history', { run_id: R, metric_key: 'big' }),
  get('an unknown series', '/metrics/get-history', { run_id: R, metric_key: 'none' }),
  get('history of an unknown run', '/metrics/get-history', { run_id: 'zz', metric_key: 'none' }),
  get('history of size 0', '/metrics/get-history', { run_id: R, metric_key: 'm', max_results: 0 }),
  post('log a batch', '/runs/log-batch', {
    run_id: R,
    metrics: points,
    params: [{ key: 'lr', value: '0.1' }],
    tags: [
      { key: 't', value: '1' },
      { key: 't', value: '2' },
    ],
  }),
  post('log a batch again', '/runs/log-batch', { run_id: R, metrics: points, params: [{ key: 'lr', value: '0.1' }] }),
  get('its series', '/metrics/get-history', { run_id: R, metric_key: 's' }),
  get('its first page', '/metrics/get-history', { run_id: R, metric_key: 's', max_results: 2 }),
  get('its next page', '/metrics/get-history', {
    run_id: R,
    metric_key: 's',
    max_results: 2,
    page_token: tokenAfter(2),
  }),
  ask('bulk history', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', {
    params: { run_id: [R, 'RUN_C_'], metric_key: 'm' },
  }),
  ask('bulk history with NaN', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', {
    params: { run_id: ['RUN_B_'], metric_key: 'm' },
  }),
  ask('bulk history of nothing', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', {
    params: { metric_key: 'm' },
  }),
  ask('bulk history without key', 'GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', { params: { run_id: R } }),
  ...[1, 2, 3, 4, 5, 6, 7, 20].flatMap((size) => [
    get(`a sample of ${size}`, '/metrics/get-history-bulk-interval', {
      run_ids: [R],
      metric_key: 's',
      max_results: size,
    }),
  ]),
  get('a sample of steps', '/metrics/get-history-bulk-interval', {
    run_ids: [R],
    metric_key: 's',
    start_step: 1,
    end_step: 2,
  }),
  get('a sample from one side', '/metrics/get-history-bulk-interval', { run_ids: [R], metric_key: 's', start_step: 1 }),
  get('a sample backwards', '/metrics/get-history-bulk-interval', {
    run_ids: [R],
    metric_key: 's',
    start_step: 3,
    end_step: 1,
  }),
  get('a sample too large', '/metrics/get-history-bulk-interval', { run_ids: [R], metric_key: 's', max_results: 2501 }),
  get('a sample of an unknown run', '/metrics/get-history-bulk-interval', { run_ids: ['none', R], metric_key: 's' }),
  get('a sample of no runs', '/metrics/get-history-bulk-interval', { metric_key: 's' }),
  get('a run with metrics', '/runs/get', { run_id: R }),
];
