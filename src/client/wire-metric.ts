/** A metric as it is sent: what JSON cannot write as a number is a text, as MLflow's own client sends it. */
export type WireMetric = {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number | string;
};
