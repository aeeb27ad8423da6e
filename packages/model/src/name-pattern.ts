/** Patterns for names of hosts, clusters and playbooks, in which `*` stands for any text. */
import { shortName } from "./host.ts";

/** Whether a name matches a pattern, without regard to case; linear in the name for each part of the pattern. */
export function matchesPattern(name: string, pattern: string): boolean {
  const text = name.toLowerCase();
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** As `matchesPattern`, for a machine: by its full or its short name. */
export function matchesHostPattern(host: string, pattern: string): boolean {
  return matchesPattern(host, pattern) || matchesPattern(shortName(host.toLowerCase()), pattern);
}
