/** Words: durations, times relative to an incident, host names as people say them, and `{…}` in the texts of a playbook. */
import { cut, durationText, type EpochMs, MINUTE_MS, type Signal, shortName } from "@culprit/model";
import type { Group } from "./group.ts";
import type { Sighting } from "./sighting.ts";
import { PEERS_PREFIX } from "./topology.ts";

const VALUES_SHOWN_MAX = 4;
const VALUE_LENGTH_MAX = 120;

/** `HV11`: the short name in upper case, as people write it; an address stays. */
export function hostText(host: string): string {
  return shortName(host).toUpperCase();
}

/** `, 14 times`; nothing for once. */
export function timesText(count: number): string {
  return count > 1 ? `, ${count} times` : "";
}

/** `14 min before`, `from 14 min before to 2 min after`, `at the same time`. */
export function relativeText(sightings: readonly Sighting[], startedAt: EpochMs): string {
  const first = sightings[0];
  const last = sightings.at(-1);
  if (first === undefined || last === undefined) return "";
  const a = offsetText(first, startedAt);
  const b = offsetText(last, startedAt);
  return a === b ? a : `from ${a} to ${b}`;
}

/** Seconds matter near the incident only. */
const SECONDS_MATTER_MS = 5 * MINUTE_MS;

function offsetText({ from, to }: Sighting, startedAt: EpochMs): string {
  if (to >= startedAt && from <= startedAt) return "at that time";
  const away = to < startedAt ? startedAt - to : from - startedAt;
  const shown = durationText(away < SECONDS_MATTER_MS ? away : Math.round(away / MINUTE_MS) * MINUTE_MS);
  return to < startedAt ? `${shown} before` : `${shown} after`;
}

/**
 * Fills `{…}`: a variable (`{host}`, as people say it; `{host.full}`), a binding of a signal (`{lowMemory.process}`), how
 * often one was seen (`{retry.count}`), or with words for when there is nothing: `{lowMemory.process|a process on {host}}`. Values come from events and stay
 * plain text. `own` serves bindings without an alias, in a detection's `say`.
 */
export function interpolate(text: string, group: Group, own?: Signal): string {
  return text.includes("{") ? fill(templateOf(text), group, own) : text;
}

interface Placeholder {
  readonly name: string;
  readonly part: string | undefined;
  /** What stands there when there is no value; may hold placeholders itself. */
  readonly fallback: Template | undefined;
}
type Template = readonly (string | Placeholder)[];

function fill(template: Template, group: Group, own: Signal | undefined): string {
  return template.map((part) => (typeof part === "string" ? part : filled(part, group, own))).join("");
}

function filled({ name, part, fallback }: Placeholder, group: Group, own: Signal | undefined): string {
  const value =
    own === undefined || part !== undefined
      ? placeholderText(name, part, group)
      : (own.bindings[name] ?? placeholderText(name, part, group));
  if (value !== undefined && value !== "") return value;
  return fallback === undefined ? "(not in the logs)" : fill(fallback, group, own);
}

/** What stands between the brackets: `host`, `host.full`, and where `|` follows, words for when there is nothing. */
const INSIDE = /^([a-zA-Z_][a-zA-Z0-9_]*)(?:\.([a-zA-Z_][a-zA-Z0-9_]*))?(?:\|([\s\S]*))?$/;
const templates = new Map<string, Template>();

/** A text cut at its placeholders. Texts come from playbooks and detections, so there are few of them. */
function templateOf(text: string): Template {
  const held = templates.get(text);
  if (held !== undefined) return held;
  const parts = cutAtBrackets(text);
  templates.set(text, parts);
  return parts;
}

/** Brackets that hold no placeholder, or have no partner, are text. */
function cutAtBrackets(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  let end = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", Math.max(at + 1, end))) {
    const close = partnerOf(text, at);
    const inside = close === undefined ? null : INSIDE.exec(text.slice(at + 1, close));
    if (close === undefined || inside === null) continue;
    if (at > end) parts.push(text.slice(end, at));
    const [, name = "", part, words] = inside;
    parts.push({ name, part, fallback: words === undefined ? undefined : cutAtBrackets(words) });
    end = close + 1;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** Where the bracket that opens at `at` is closed. */
function partnerOf(text: string, at: number): number | undefined {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    if (text[i] === "{") depth += 1;
    else if (text[i] === "}") {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return undefined;
}

function placeholderText(name: string, part: string | undefined, group: Group): string | undefined {
  if (name === "downtime" && part === undefined) return downtimeOf(group);
  if (part === undefined || part === "full") return variableText(name, part, group);
  const use = group.playbook.signals[name];
  if (use === undefined) return undefined;
  const { before, after } = group.playbook.collect;
  const sightings = group.within(name, -before, Math.max(after, group.span.to - group.anchor.to));
  if (part === "count") return String(sightings.length);
  if (part === "hosts") return listText(sightings.map(({ about }) => hostText(about)));
  if (part === "loggers") return listText(sightings.map(({ signal }) => hostText(signal.host)));
  if (part === "provider") return listText(sightings.map(({ signal }) => signal.event.provider));
  return listText(sightings.flatMap(({ signal }) => signal.bindings[part] ?? []));
}

const SPOKEN_AS_HOST = /^(?:host|node|dpm|hv|vmhost|server|peer|guest|target|source|dc)$/;

function variableText(name: string, part: string | undefined, group: Group): string | undefined {
  const value = group.variables[name];
  if (value === undefined) return undefined;
  if (value.startsWith(PEERS_PREFIX)) return `the cluster of ${hostText(value.slice(PEERS_PREFIX.length))}`;
  return part === "full" || !SPOKEN_AS_HOST.test(name) ? clipValue(value) : hostText(value);
}

function listText(values: readonly string[]): string | undefined {
  const different = [...new Set(values.filter((value) => value !== "").map(clipValue))];
  if (different.length === 0) return undefined;
  const shown = different.slice(0, VALUES_SHOWN_MAX).join(", ");
  return different.length > VALUES_SHOWN_MAX ? `${shown} and ${different.length - VALUES_SHOWN_MAX} more` : shown;
}

function clipValue(value: string): string {
  return cut(value.replace(/\s+/g, " ").trim(), VALUE_LENGTH_MAX);
}

/** How long the host was away, where a restart is what happened. */
function downtimeOf(group: Group): string | undefined {
  const crash = group.openers.get(group.anchorAlias)?.[0]?.crash;
  return crash === undefined ? undefined : durationText(crash.boot - crash.to);
}
