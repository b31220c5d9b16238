/** How models get to production and stay good there: the five measures, each with what it rests on. */
import { type Delivery, useDelivery } from '../../data/delivery.ts';
import type { Endpoint } from '../../data/endpoints.ts';
import { decimalsOf, sayMetric } from '../../data/runs.ts';
import { count, duration, fixed, interval, percent } from '../../format.ts';
import { SeriesChart } from '../../parts/series.tsx';

export function FiveMeasures({ endpoint }: { endpoint: Endpoint | undefined }) {
  const delivery = useDelivery().data;
  // Before anything was shipped there is nothing to measure.
  if (!delivery || !endpoint?.champion) return null;
  const { rollbacks, changes, failed, caught, timeToProduction } = delivery;
  const times = rollbacks.flatMap(({ rollback }) => rollback ?? []);
  const lastTime = timeToProduction.each.at(-1);
  return (
    <section className="five" aria-label="Five measures of delivery">
      <Quality delivery={delivery} endpoint={endpoint.name} />
      <Availability delivery={delivery} endpoint={endpoint.name} />
      <div>
        <h3>Deployments</h3>
        <b>{count(changes)}</b>
        <p>
          in {duration(delivery.to - delivery.from)}
          <br />
          {failed > 0
            ? `${count(failed)} rolled back`
            : caught > 0
              ? `${count(caught)} stopped in time`
              : 'none rolled back'}
        </p>
      </div>
      <div>
        <h3>Time to production</h3>
        <b>{lastTime ? duration(lastTime.total) : 'none yet'}</b>
        <p>
          {lastTime ? `v${lastTime.version.split('@')[1]}, registered to 100\u00a0%` : 'no version has all traffic'}
          <br />
          {timeToProduction.p50 !== undefined &&
            timeToProduction.each.length > 1 &&
            `half take at most ${duration(timeToProduction.p50)}`}
        </p>
      </div>
      <div>
        <h3>Rollback</h3>
        <b>{times.length > 0 ? duration(Math.max(...times)) : 'none'}</b>
        <p>
          {times.length > 0
            ? 'decision to the last answer'
            : rollbacks.length === 0
              ? 'none was needed'
              : 'not measured'}
          <br />
          {times.length > 1 && `slowest of ${times.length}`}
        </p>
      </div>
    </section>
  );
}

const ofEndpoint = ({ endpoints }: Delivery, name: string) => endpoints.find(({ endpoint }) => endpoint === name);

function Quality({ delivery, endpoint }: { delivery: Delivery; endpoint: string }) {
  const judged = ofEndpoint(delivery, endpoint)?.quality ?? [];
  const valued = judged.flatMap((one) => (one.value === undefined ? [] : [{ ...one, value: one.value }]));
  const last = valued.at(-1);
  if (!last) {
    return (
      <div>
        <h3>Model quality</h3>
        <b>undecided</b>
        <p>{judged.at(-1)?.reason ?? 'needs a quality monitor and labels'}</p>
      </div>
    );
  }
  const decimals = decimalsOf(last.metric) - 1;
  const title = `${sayMetric(last.metric)} per window`;
  return (
    <div>
      <h3>Model quality, {title}</h3>
      <SeriesChart
        finding={`${title}: last ${fixed(last.value, decimals)}, limit ${last.threshold ?? 'none'}`}
        points={valued.map((one) => ({
          at: one.end,
          value: one.value,
          lower: one.lower,
          upper: one.upper,
          failed: one.outcome === 'fail',
        }))}
        limit={last.threshold}
        decimals={decimals}
        width={238}
        height={44}
        axis={false}
      />
      <p>
        {fixed(last.value, decimals)}{' '}
        {last.lower !== undefined && last.upper !== undefined && interval(last.lower, last.upper)}, last window
      </p>
    </div>
  );
}

function Availability({ delivery, endpoint }: { delivery: Delivery; endpoint: string }) {
  const days = ofEndpoint(delivery, endpoint)?.availability ?? [];
  const rows = days.reduce((sum, one) => sum + one.rows, 0);
  const answered = days.reduce((sum, one) => sum + one.rows * (one.value ?? 1), 0);
  const goal = days.at(-1)?.threshold;
  return (
    <div>
      <h3>Availability</h3>
      <b>{rows === 0 ? 'undecided' : percent(answered / rows, answered === rows ? 0 : 3)}</b>
      <p>
        {goal === undefined ? 'no goal is set' : `goal ${percent(goal, 1)}`}
        <br />
        {rows > 0 && `${count(rows - answered)} of ${count(rows)} failed`}
      </p>
    </div>
  );
}
