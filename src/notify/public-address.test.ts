import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress, literalAddress } from './public-address.ts';

test('addresses of this host, of private networks and of clouds are not public', () => {
  const closed = [
    ...['127.0.0.1', '127.255.255.255', '0.0.0.0', '10.0.0.1', '100.64.0.1', '100.127.255.255', '169.254.169.254'],
    ...['172.16.0.1', '172.31.255.255', '192.168.1.1', '198.18.0.1', '224.0.0.1', '239.1.1.1', '255.255.255.255'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1', '2001::1'],
    ...['100::1', '64:ff9b:1::1'],
  ];
  assert.deepEqual(closed.filter(isPublicAddress), []);
});

test('addresses beside them are public', () => {
  const open = [
    ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0'],
    ...['192.167.255.255', '192.169.0.0', '223.255.255.255', '2606:4700::1111', '2a00:1450:4001:80b::200e'],
  ];
  assert.deepEqual(
    open.filter((address) => !isPublicAddress(address)),
    [],
  );
});

test('an address of IPv6 that stands for one of IPv4 is as public as that one', () => {
  const forms = (dotted: string, hexadecimal: string) => [
    `::ffff:${dotted}`,
    `::ffff:${hexadecimal}`,
    `64:ff9b::${hexadecimal}`,
    `2002:${hexadecimal}::1`,
  ];
  assert.deepEqual(forms('10.0.0.1', 'a00:1').map(isPublicAddress), [false, false, false, false]);
  assert.deepEqual(forms('8.8.8.8', '808:808').map(isPublicAddress), [true, true, true, true]);
});

test('every spelling of an address that a URL parser knows is an address, and a name is none', () => {
  const of = (url: string) => literalAddress(new URL(url).hostname);
  assert.equal(of('http://127.1/'), '127.0.0.1');
  assert.equal(of('http://0x7f000001/'), '127.0.0.1');
  assert.equal(of('http://2130706433/'), '127.0.0.1');
  assert.equal(of('http://[::FFFF:10.0.0.1]:8080/'), '::ffff:a00:1');
  assert.equal(of('http://10.0.0.1.example.com/'), undefined);
});
