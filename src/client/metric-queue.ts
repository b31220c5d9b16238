/** Metrics on their way: training goes on while they are sent, in batches as large as the server takes. */

export type Metric = {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number | bigint;
};
/** On the wire: what JSON cannot write as a number is a text, as MLflow's own client sends it. */
export type WireMetric = {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number | string;
};

export interface MetricQueue {
  add(metrics: readonly Metric[]): void;
  /** Resolves when everything added so far has arrived. @throws what kept it from arriving; those metrics are lost */
  flush(): Promise<void>;
}

const batchSize = 1000;
const gatherMs = 200;

/** @param send one batch of at most 1,000, with its own retries */
export function metricQueue(send: (batch: readonly WireMetric[]) => Promise<void>): MetricQueue {
  let waiting: WireMetric[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  const start = () => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  const sendAll = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchSize);
      waiting = waiting.slice(batchSize);
      try {
        await send(batch);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  return {
    add(metrics) {
      for (const metric of metrics) waiting.push(onTheWire(metric));
      if (waiting.length >= batchSize) void start();
      else timer ??= setTimeout(start, gatherMs);
    },
    async flush() {
      while (waiting.length > 0 || sending) await start();
      const failed = failure;
      failure = undefined;
      if (failed) throw failed.error;
    },
  };
}

function onTheWire({ key, value, timestamp, step }: Metric): WireMetric {
  return {
    key,
    value: Number.isFinite(value) ? value : String(value),
    timestamp,
    step: typeof step === 'bigint' ? String(step) : step,
  };
}
