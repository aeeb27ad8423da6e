/** Who may send, by address. */
import { BlockList, isIPv6 } from "node:net";

/** A predicate over remote addresses; everyone where no list is given. */
export function allowList(networks: readonly string[] | undefined): (remote: string) => boolean {
  if (networks === undefined) return () => true;
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (remote) => list.check(remote, isIPv6(remote) ? "ipv6" : "ipv4");
}

/** An address without the prefix of IPv4 in IPv6. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d{1,3}\.)/, "");
}
