/**
 * Which addresses an outgoing request may go to. A person can set a notifier's URL, so a URL must not reach what only this
 * machine can: loopback, link-local (cloud metadata), private networks, and the IPv6 spellings of all of them.
 *
 * The check is made on the address that the connection then uses (`lookup`), so a name that answers differently the
 * second time gains nothing. Networks and names that are meant (an on-premises Alertmanager) are allowed by config.
 * Source: RELIABILITY B44; IANA special-purpose registries (RFC 6890), RFC 6052 (NAT64), RFC 3056 (6to4).
 */
import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { BlockList, isIP } from "node:net";
import { Fault } from "@culprit/model";

const FORBIDDEN_4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
/** `::/96`, `64:ff9b::/96`, `2002::/16` and `::ffff:0:0/96` carry an IPv4 address; nothing outside needs them. */
const FORBIDDEN_6: readonly (readonly [string, number])[] = [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 32],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

export interface AddressGuard {
  /**
   * Errors: `notify.address-refused` for a scheme other than http(s), credentials in the URL, or an address that is not
   * allowed.
   */
  check(url: string): URL;
  /** As `dns.lookup`, but fails with `notify.address-refused` when an answer is not allowed. */
  readonly lookup: LookupFunction;
}

export interface AddressGuardOptions {
  /** `10.1.0.0/16`, `192.168.4.7`, `fd00::/8`, or a host name as it stands in URLs. */
  readonly allow?: readonly string[];
  /** The resolver; the system's unless given. */
  readonly resolve?: LookupFunction;
}

/** Makes a guard. Errors: `notify.bad-allow` for an entry that is neither a network nor a name. */
export function addressGuard(options: AddressGuardOptions = {}): AddressGuard {
  // Two lists: Node's one would take `::ffff:0:0/96` for every IPv4 address.
  const forbidden4 = blockList(FORBIDDEN_4, "ipv4");
  const forbidden6 = blockList(FORBIDDEN_6, "ipv6");
  const { networks, names } = allowed(options.allow ?? []);
  const resolve: LookupFunction = options.resolve ?? (systemLookup as LookupFunction);
  const isAllowed = (address: string): boolean => {
    if (isIP(address) === 4) return networks.check(address, "ipv4") || !forbidden4.check(address, "ipv4");
    return networks.check(address, "ipv6") || !forbidden6.check(address, "ipv6");
  };
  return {
    check(text) {
      const url = readUrl(text);
      const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
      if (isIP(host) !== 0 && !names.has(host) && !isAllowed(host)) throw refused(`${host} is not a public address`);
      return url;
    },
    lookup(hostname, lookupOptions, callback) {
      resolve(hostname, lookupOptions, (error, answer, family) => {
        if (error !== null) return callback(error, answer, family);
        const addresses = typeof answer === "string" ? [answer] : answer.map(({ address }) => address);
        const bad = names.has(hostname.toLowerCase()) ? undefined : addresses.find((address) => !isAllowed(address));
        if (bad === undefined) return callback(null, answer, family);
        callback(refused(`${hostname} is ${bad}, which is not a public address`), answer, family);
      });
    },
  };
}

/**
 * One address of a host that may be connected to.
 * Errors: `notify.address-refused`, `notify.unreachable` (retriable).
 */
export function addressOf(guard: AddressGuard, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const literal = isIP(host) === 6 ? `[${host}]` : host;
    guard.check(`https://${literal}/`);
    guard.lookup(host, {}, (error, answer) => {
      const address = typeof answer === "string" ? answer : answer?.[0]?.address;
      if (error === null && address !== undefined) resolve(address);
      else if (error instanceof Fault) reject(error);
      else {
        const fields = { host, sent: 0 };
        reject(
          new Fault("notify.unreachable", `${host}: ${error?.message ?? "no address"}`, { retriable: true, fields }),
        );
      }
    });
  });
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw refused("it is not a URL");
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw refused(`${url.protocol} is neither https: nor http:`);
  if (url.username !== "" || url.password !== "") throw refused("a URL must not carry a login; use the options for it");
  return url;
}

function allowed(entries: readonly string[]): { networks: BlockList; names: ReadonlySet<string> } {
  const networks = new BlockList();
  const names = new Set<string>();
  for (const entry of entries) {
    const [address = "", bits, rest] = entry.split("/");
    const version = isIP(address);
    const bitsMax = version === 6 ? 128 : 32;
    if (version === 0) {
      if (bits !== undefined || !/^[a-z0-9._-]{1,253}$/i.test(address)) throw badAllow(entry);
      names.add(address.toLowerCase());
    } else {
      const length = bits === undefined ? bitsMax : Number(bits);
      if (rest !== undefined || !Number.isInteger(length) || length < 0 || length > bitsMax) throw badAllow(entry);
      networks.addSubnet(address, length, version === 6 ? "ipv6" : "ipv4");
    }
  }
  return { networks, names };
}

function blockList(networks: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, family);
  return list;
}

function refused(why: string): Fault {
  return new Fault(
    "notify.address-refused",
    `This address may not be used: ${why}. Allow it under notify.allowAddresses`,
  );
}

function badAllow(entry: string): Fault {
  return new Fault("notify.bad-allow", `"${entry}" is neither a network such as 10.0.0.0/8 nor a host name`);
}
