/** A webhook: whom to tell of which events. */
import { PlatformError } from '../errors.ts';
import { isPublicAddress, literalAddress } from './public-address.ts';
import type { WebhookEvent } from './webhook-event.ts';

/** `paused`: after it had failed for hours; what happens meanwhile waits for it. `disabled`: by a person, and nothing waits. */
export type WebhookState =
  | { readonly kind: 'active' }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'paused'; readonly at: number; readonly because: string };

export type Webhook = {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly url: string;
  /** In the order of their names. */
  readonly events: readonly WebhookEvent[];
  readonly state: WebhookState;
  /** Encrypted. */
  readonly secret?: string;
  /** Events up to this place in the log are not told. */
  readonly since: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Attempts since the last one that succeeded. */
  readonly failures: number;
  readonly failingSince?: number;
  /** No attempt before, in milliseconds: it has just failed. */
  readonly restUntil: number;
};

/** What the operator allows webhooks to reach. */
export type WebhookPolicy = {
  readonly schemes: readonly string[];
  readonly allowPrivateAddresses: boolean;
};

export const invalid = (subject: string, message: string): PlatformError =>
  new PlatformError('notify/invalid', subject, { message });

const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

export function validateName(name: string): void {
  if (namePattern.test(name)) return;
  throw invalid(
    'name',
    `Webhook name '${name}' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and ` +
      'contain only letters, digits, dots (.), underscores (_), and hyphens (-).',
  );
}

const maxUrlLength = 2_000;

/**
 * Checks what can be known without asking anybody: scheme, syntax, and an address that is written out. What a name resolves to is judged
 * when a delivery connects. @throws PlatformError notify/invalid, in MLflow's words
 */
export function validateUrl(text: string, { schemes, allowPrivateAddresses }: WebhookPolicy): void {
  if (text.trim() === '') throw invalid('url', `Webhook URL cannot be empty or just whitespace: '${text}'`);
  if (text.length > maxUrlLength) throw invalid('url', `Webhook URL is longer than ${maxUrlLength} characters.`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? '';
  if (!schemes.includes(scheme)) {
    throw invalid('url', `Invalid webhook URL scheme: '${scheme}'. Allowed schemes are: ${schemes.join(', ')}.`);
  }
  const host = /^[^:]*:\/\/(?:[^/?#]*@)?(\[[^\]/?#]*\]|[^:/?#]*)/.exec(text)?.[1] ?? '';
  if (host === '') throw invalid('url', `Webhook URL must include a hostname: '${text}'`);
  const url = URL.parse(text);
  if (!url) throw invalid('url', `Invalid webhook URL '${text}'`);
  const address = literalAddress(url.hostname);
  if (address === undefined || allowPrivateAddresses || isPublicAddress(address)) return;
  const written = host.replace(/^\[|\]$/g, '');
  throw invalid('url', `Webhook URL must not resolve to a non-public IP address. '${written}' resolves to ${address}.`);
}

export const maxDescriptionLength = 1_000;
export const maxSecretLength = 1_000;

export function validateLength(subject: string, text: string | undefined, most: number): void {
  if (text === undefined || text.length <= most) return;
  throw invalid(subject, `The ${subject} of a webhook is longer than ${most} characters.`);
}

export const webhookSubject = (id: string): string => `webhook/${id}`;
