/** IP addresses and networks as numbers, for `cidr`. */

/** An address: 4 or 6, and its bits as one number. */
export interface Address {
  readonly version: 4 | 6;
  readonly bits: bigint;
}

/** A network: the address with its host bits cleared, and how many host bits there are. */
export interface Network extends Address {
  readonly hostBits: bigint;
}

const BITS = { 4: 32n, 6: 128n } as const;
const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
/** The longest spelling: eight groups, an embedded IPv4 and a zone. */
const TEXT_MAX_LENGTH = 100;

/** Reads an address in any spelling, with or without a zone (`fe80::1%12`); `undefined` for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > TEXT_MAX_LENGTH) return undefined;
  if (!text.includes(":")) {
    const bits = ipv4Bits(text);
    return bits === undefined ? undefined : { version: 4, bits };
  }
  const zone = text.indexOf("%");
  const bits = ipv6Bits(zone === -1 ? text : text.slice(0, zone));
  return bits === undefined ? undefined : { version: 6, bits };
}

/** Reads `10.0.0.0/8`, `fe80::/10` or a bare address, which is a network of one; `undefined` for anything else. */
export function parseNetwork(text: string): (Network & { readonly hadHostBits: boolean }) | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const width = BITS[address.version];
  const prefixText = slash === -1 ? String(width) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefixText) || BigInt(prefixText) > width) return undefined;
  const hostBits = width - BigInt(prefixText);
  const bits = (address.bits >> hostBits) << hostBits;
  return { version: address.version, bits, hostBits, hadHostBits: bits !== address.bits };
}

/** Whether an address lies in a network of the same version; `::ffff:10.0.0.1` is version 6. */
export function isInNetwork(address: Address, network: Network): boolean {
  return address.version === network.version && (address.bits >> network.hostBits) << network.hostBits === network.bits;
}

function ipv4Bits(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let bits = 0n;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return undefined;
    bits = (bits << 8n) | BigInt(octet);
  }
  return bits;
}

function ipv6Bits(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  let bits = 0n;
  for (const group of [...head, ...Array<bigint>(gap).fill(0n), ...tail]) bits = (bits << 16n) | group;
  return bits;
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address where the text ends. */
function groupsOf(text: string, isEnd: boolean): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: bigint[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes(".")) {
      const embedded = isEnd && i === parts.length - 1 ? ipv4Bits(part) : undefined;
      if (embedded === undefined) return undefined;
      groups.push(embedded >> 16n, embedded & 0xffffn);
    } else {
      if (!GROUP.test(part)) return undefined;
      groups.push(BigInt(`0x${part}`));
    }
  }
  return groups;
}
