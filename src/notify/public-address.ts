/** Which addresses a webhook may reach: those of the public internet. */

/** Not public: this host, private and shared networks, documentation, benchmarks, multicast and what is reserved (IANA's registries). */
const closed4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
].map(([start, bits]) => ({ start: numberOf(String(start)), size: 2 ** (32 - Number(bits)) }));

/** @param address as the resolver or a parsed URL writes it: `10.0.0.1`, `fe80::1`, `::ffff:a00:1` */
export function isPublicAddress(address: string): boolean {
  return address.includes(':') ? isPublic6(groupsOf(address)) : isPublic4(numberOf(address));
}

/** The host of a parsed URL when it is an address and no name, without the brackets of IPv6. */
export function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : undefined;
}

const isPublic4 = (address: number): boolean =>
  !closed4.some(({ start, size }) => address >= start && address < start + size);

function isPublic6(groups: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = groups;
  const embedded = (at: number) => (groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0);
  const startsWith = (...start: readonly number[]) => start.every((group, at) => groups[at] === group);
  // Addresses that stand for one of IPv4 are as public as that one: mapped, NAT64, 6to4.
  if (startsWith(0, 0, 0, 0, 0, 0xffff)) return isPublic4(embedded(6));
  if (startsWith(0x64, 0xff9b, 0, 0, 0, 0)) return isPublic4(embedded(6));
  if (a === 0x2002) return isPublic4(b * 65_536 + c);
  const isGlobalUnicast = a >= 0x2000 && a <= 0x3fff;
  const isReserved = (a === 0x2001 && b < 0x200) || (a === 0x2001 && b === 0xdb8) || (a === 0x3fff && b < 0x1000);
  return isGlobalUnicast && !isReserved;
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function groupsOf(address: string): readonly number[] {
  // A scope (`fe80::1%eth0`) says which cable, not which address.
  const [plain = ''] = address.split('%');
  const hexadecimal = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (dotted) => {
    const number = numberOf(dotted);
    return `${Math.floor(number / 65_536).toString(16)}:${(number % 65_536).toString(16)}`;
  });
  const [head = '', tail] = hexadecimal.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? '')];
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
