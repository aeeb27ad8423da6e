/**
 * Provider names. Windows names one provider twice (manifest and classic source) and spells both with changing case, and
 * articles misspell them; rules and tables compare `providerKey`.
 *
 * Source: the event table's `legacy_source` column, KB 235496 (Save Dump), samples in System logs of 2003 to 11.
 */

/** Lower-case names that stand for the same provider; the first is the key of all. */
const SAME: readonly (readonly string[])[] = [
  ["microsoft-windows-wer-systemerrorreporting", "bugcheck", "save dump"],
  ["microsoft-windows-grouppolicy", "userenv"],
  ["microsoft-windows-time-service", "w32time"],
  ["microsoft-windows-security-kerberos", "kerberos"],
  ["microsoft-windows-kerberos-key-distribution-center", "kdc"],
  ["microsoft-windows-dns-server-service", "dns"],
  ["microsoft-windows-dhcp-server", "dhcpserver"],
  ["microsoft-windows-dhcp-client", "dhcp"],
  ["microsoft-windows-dns-client", "dnsapi", "dnscache"],
  ["microsoft-windows-certificateservicesclient-autoenrollment", "autoenrollment"],
  [
    "microsoft-windows-security-spp",
    "software protection platform service",
    "office software protection platform service",
  ],
  ["microsoft-windows-failoverclustering", "microsoft-windows-failovercluster", "clussvc"],
  ["microsoft-windows-ntfs", "ntfs"],
  ["microsoft-windows-volsnap", "volsnap"],
  ["microsoft-windows-disk", "disk"],
  ["microsoft-windows-service control manager", "service control manager"],
  ["microsoft-windows-srv", "srv", "svr", "server"],
  ["microsoft-windows-eventlog", "eventlog"],
  ["microsoft-windows-winlogon", "winlogon"],
  ["microsoft-windows-user32", "user32"],
  ["microsoft-windows-security-auditing", "microsoft windows security auditing.", "security"],
  [
    "microsoft-windows-activedirectory_domainservice",
    "ntds general",
    "ntds replication",
    "ntds kcc",
    "ntds isam",
    "ntds database",
    "ntds backup",
    "ntds sdprop",
    "activedirectory_domainservice",
  ],
  ["lsasrv", "lsasrv"],
  ["microsoft-windows-eventsystem", "eventsystem"],
];

const KEY_OF: ReadonlyMap<string, string> = new Map(
  SAME.flatMap((names) => names.map((name) => [name, names[0] as string] as const)),
);
const cache = new Map<string, string>();
const CACHE_MAX = 4_096;

/**
 * The name to compare providers by: lower case, aliases folded to one.
 * Units: any spelling in, the key out; an unknown provider is its own key.
 */
export function providerKey(name: string): string {
  const held = cache.get(name);
  if (held !== undefined) return held;
  const lower = name.trim().toLowerCase();
  const key = KEY_OF.get(lower) ?? lower;
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(name, key);
  return key;
}

/** Every spelling (lower case) that has this key, the key first. */
export function providerNames(key: string): readonly string[] {
  return SAME.find((names) => names[0] === key) ?? [key];
}
