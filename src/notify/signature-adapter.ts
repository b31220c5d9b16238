/** The headers of a delivery, signed as MLflow signs them. */
import { createHmac } from 'node:crypto';

/** @param at in milliseconds: receivers refuse a message whose time is long past  @param secret without one, nothing is signed */
export function deliveryHeaders({
  id,
  body,
  at,
  secret,
}: {
  readonly id: string;
  readonly body: string;
  readonly at: number;
  readonly secret: string | undefined;
}): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1_000));
  return {
    'Content-Type': 'application/json',
    'X-MLflow-Delivery-Id': id,
    'X-MLflow-Timestamp': timestamp,
    ...(secret && {
      'X-MLflow-Signature': `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
    }),
  };
}
