/**
 * The addresses of a config that may not be used, found when it is loaded rather than when the first page is due. A name is
 * only resolved when it is connected to; what is written as an address is judged here.
 * Source: RELIABILITY B44.
 */
import { isIP } from "node:net";
import { Fault } from "@culprit/model";
import { Secret } from "@culprit/runtime";
import { type AddressGuard, addressGuard } from "./address-guard.ts";

export interface AddressProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Addresses {
  readonly allowAddresses: readonly string[];
  readonly targets: readonly object[];
  readonly heartbeat?: { readonly url: Secret } | undefined;
}

/** Every address that is refused, with where it stands; never a secret's text. */
export function addressProblems({ allowAddresses, targets, heartbeat }: Addresses): readonly AddressProblem[] {
  let guard: AddressGuard;
  try {
    guard = addressGuard({ allow: allowAddresses });
  } catch (fault) {
    return [{ path: ["allowAddresses"], message: messageOf(fault) }];
  }
  const places: Place[] = targets.flatMap((target, index) =>
    urlsOf(target).map(([path, url]): Place => [["targets", index, ...path], url]),
  );
  if (heartbeat !== undefined) places.push([["heartbeat", "url"], heartbeat.url.reveal()]);
  return places.flatMap(([path, url]) => {
    try {
      guard.check(url);
      return [];
    } catch (fault) {
      return [{ path, message: messageOf(fault) }];
    }
  });
}

type Place = readonly [path: readonly (string | number)[], url: string];

/** What a target connects to, as URLs: its own, and hosts that are written as addresses. */
function urlsOf(target: object): readonly Place[] {
  const options: ReadonlyMap<string, unknown> = new Map(Object.entries(target));
  const urls: Place[] = [];
  const add = (path: readonly (string | number)[], value: unknown): void => {
    const text = value instanceof Secret ? value.reveal() : value;
    if (typeof text === "string") urls.push([path, text]);
  };
  add(["url"], options.get("url"));
  const several = options.get("urls");
  if (Array.isArray(several)) several.forEach((url, index) => void add(["urls", index], url));
  const brokers = options.get("brokers");
  if (Array.isArray(brokers)) {
    brokers.forEach((broker, index) => void add(["brokers", index], `https://${broker}/`));
  }
  // A `host` is a peer only beside a port, and a mere name where there is a `server`.
  const key = options.has("server") ? "server" : "host";
  const host = options.get(key);
  if (options.has("port") && typeof host === "string" && isIP(host) !== 0) {
    add([key], `https://${isIP(host) === 6 ? `[${host}]` : host}/`);
  }
  return urls;
}

function messageOf(fault: unknown): string {
  if (fault instanceof Fault) return fault.message;
  throw fault;
}
