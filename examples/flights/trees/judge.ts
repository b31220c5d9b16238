/** How good probabilities are, for the trainer's own log; the gates measure it again by themselves. */

/** Chance that a late flight scores above one that is not; ties count half. */
export function areaUnderCurve(scores: Float64Array, labels: Uint8Array): number {
  const order = new Uint32Array(scores.length).map((_, row) => row);
  order.sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let tied = 0;
    for (; end < order.length && scores[order[end] ?? 0] === scores[order[start] ?? 0]; end++) {
      tied += labels[order[end] ?? 0] ?? 0;
    }
    rankSum += tied * ((start + end + 1) / 2);
    positives += tied;
    start = end;
  }
  const negatives = scores.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean surprise in nats. @param scores log-odds */
export function logLoss(scores: Float64Array, labels: Uint8Array): number {
  let total = 0;
  for (let row = 0; row < scores.length; row++) {
    const towards = labels[row] === 1 ? (scores[row] ?? 0) : -(scores[row] ?? 0);
    // log(1 + e^−x) without overflow on either side
    total += Math.max(-towards, 0) + Math.log1p(Math.exp(-Math.abs(towards)));
  }
  return total / scores.length;
}
