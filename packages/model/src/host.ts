/**
 * Hosts. Windows shows one machine as `HV11`, `hv11.contoso.com` or `HV11.contoso.com.`; all fold to lower case without a
 * trailing dot. A short name and a full name are the same host unless two suffixes contradict each other.
 */
import { z } from "zod";

export const HOST_MAX_LENGTH = 255;

export const HostId = z.string().min(1).max(HOST_MAX_LENGTH).brand<"HostId">();
/** A folded computer name: lower case, no trailing dot, at most 255 characters. */
export type HostId = z.infer<typeof HostId>;

/**
 * Folds a computer name as any source writes it; `\\SERVER` loses its slashes.
 * Errors: `undefined` when nothing is left or more than 255 characters are.
 */
export function foldHost(name: string): HostId | undefined {
  let text = name.trim().toLowerCase();
  while (text.startsWith("\\")) text = text.slice(1);
  while (text.endsWith(".")) text = text.slice(0, -1);
  return text.length === 0 || text.length > HOST_MAX_LENGTH ? undefined : (text as HostId);
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** The part before the first dot; an address stays whole. */
export function shortName(host: string): string {
  const dot = host.indexOf(".");
  if (dot === -1) return host;
  const first = host.charCodeAt(0);
  const mayBeAddress = first >= DIGIT_0 && first <= DIGIT_9;
  return (mayBeAddress && IPV4.test(host)) || host.includes(":") ? host : host.slice(0, dot);
}

/** The part after the first dot, or `undefined` for a short name or an address. */
export function domainOf(host: string): string | undefined {
  const short = shortName(host);
  return short.length === host.length ? undefined : host.slice(short.length + 1);
}

/** Whether two folded names can be one machine: equal, or equal short names of which at least one has no suffix. */
export function sameHost(a: string, b: string): boolean {
  if (a === b) return true;
  if (shortName(a) !== shortName(b)) return false;
  return domainOf(a) === undefined || domainOf(b) === undefined;
}

/** The fuller of several names of one machine: the longest, then the first in order, so that any order gives the same. */
export function fullestName(names: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const name of names) {
    if (best === undefined || name.length > best.length || (name.length === best.length && name < best)) best = name;
  }
  return best;
}
