import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { validateName, validateUrl } from './webhook.ts';

const strict = { schemes: ['https'], allowPrivateAddresses: false };
const refusal = (check: () => void): string => {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof PlatformError && error.code === 'notify/invalid', String(error));
    return error.message;
  }
  return 'accepted';
};

test('an address that is written out must be public, whatever its spelling', () => {
  const refused = ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '10.0.0.1', '[::1]', '[::ffff:10.0.0.1]'];
  for (const host of refused) {
    assert.match(
      refusal(() => validateUrl(`https://${host}/hook`, strict)),
      /non-public IP address/,
      host,
    );
    assert.equal(
      refusal(() => validateUrl(`https://${host}/hook`, { ...strict, allowPrivateAddresses: true })),
      'accepted',
    );
  }
  assert.equal(
    refusal(() => validateUrl('https://127.1/', strict)),
    "Webhook URL must not resolve to a non-public IP address. '127.1' resolves to 127.0.0.1.",
  );
});

test('a name is taken as it is: it is judged when a delivery connects', () => {
  for (const url of ['https://example.com/hook', 'https://localhost/', 'https://user:word@example.com:8443/a?b#c']) {
    assert.equal(
      refusal(() => validateUrl(url, strict)),
      'accepted',
      url,
    );
  }
});

test('what is no URL of an allowed scheme is refused in words of MLflow', () => {
  const of = (url: string) => refusal(() => validateUrl(url, strict));
  assert.equal(of('http://example.com'), "Invalid webhook URL scheme: 'http'. Allowed schemes are: https.");
  assert.equal(of('hook'), "Invalid webhook URL scheme: ''. Allowed schemes are: https.");
  assert.equal(of('https:///hook'), "Webhook URL must include a hostname: 'https:///hook'");
  assert.equal(of('  '), "Webhook URL cannot be empty or just whitespace: '  '");
  assert.match(of('https://[::1/'), /^Webhook URL must include a hostname|^Invalid webhook URL/);
  assert.equal(of('https://example.com:99999/'), "Invalid webhook URL 'https://example.com:99999/'");
  assert.match(of(`https://example.com/${'x'.repeat(2_000)}`), /longer than 2000/);
  assert.equal(
    refusal(() => validateUrl('http://example.com', { ...strict, schemes: ['http', 'https'] })),
    'accepted',
  );
});

test('names begin and end with a letter or a digit', () => {
  for (const good of ['a', 'A1', 'a.b_c-d', 'x'.repeat(63)])
    assert.equal(
      refusal(() => validateName(good)),
      'accepted',
      good,
    );
  for (const bad of ['', '-a', 'a-', 'a b', 'x'.repeat(64)])
    assert.match(
      refusal(() => validateName(bad)),
      /invalid/,
    );
});
