/**
 * Fields of a Windows event by Sigma's names: derived values first, then the System part, then EventData and UserData by
 * name (in any case), by place (`param1`) and by the names the provider's manifest gives to places. `Data` is all values
 * without a name, and the hash names of the taxonomy are looked up in Sysmon's `Hashes`.
 *
 * Source: Sigma rules specification, "Field Usage"; taxonomy appendix, "Process Creation Events"; public rules for classic
 * sources, which ask for `Data`.
 */
import {
  dataEntries,
  dataFieldName,
  type EventField,
  eventField,
  positionalValue,
  providerKey,
  type WindowsEvent,
} from "@culprit/model";
import type { FieldSource, FieldValue } from "./field-source.ts";

/** Names of positional data by place, for a provider (its key) and event id. */
export type Manifest = (provider: string, eventId: number) => readonly string[] | undefined;

export interface EventSourceOptions {
  readonly manifest?: Manifest | undefined;
  /** Values that were read out of the event, such as `BugcheckCode`; they go before all else. */
  readonly derived?: Pick<ReadonlyMap<string, string | readonly string[]>, "get" | "values"> | undefined;
}

/** A decoded event as a source of fields. */
export function eventSource(event: WindowsEvent, options: EventSourceOptions = {}): FieldSource {
  return new EventSource(event, options);
}

class EventSource implements FieldSource {
  private readonly event: WindowsEvent;
  private readonly options: EventSourceOptions;

  constructor(event: WindowsEvent, options: EventSourceOptions) {
    this.event = event;
    this.options = options;
  }

  get(field: string): FieldValue {
    const { derived } = this.options;
    const own = derived?.get(field);
    if (own !== undefined) return own;
    const name = nameOf(field);
    const { system } = name;
    if (system !== undefined && !system.afterData) return system.read(this.event);
    return this.dataValue(name) ?? system?.read(this.event);
  }

  texts(): readonly string[] {
    const { event } = this;
    const texts: string[] = [event.provider, event.channel, event.computer, String(event.eventId), String(event.level)];
    const others = [
      event.providerAlias,
      event.keywords,
      event.task,
      event.opcode,
      event.recordId,
      event.userId,
      event.message,
    ];
    for (const text of others) if (text !== undefined) texts.push(text);
    for (const [, value] of dataEntries(event.data)) texts.push(value);
    for (const value of this.options.derived?.values() ?? []) {
      if (typeof value === "string") texts.push(value);
      else texts.push(...value);
    }
    return texts;
  }

  private dataValue({ data: name, lower, place, hash }: FieldName): FieldValue {
    const { names, values } = this.event.data;
    let first: string | undefined;
    let all: string[] | undefined;
    for (let i = 0; i < names.length; i += 1) {
      const candidate = names[i] as string;
      if (candidate !== name && (candidate.length !== name.length || candidate.toLowerCase() !== lower)) continue;
      const value = values[i] as string;
      if (first === undefined) first = value;
      else if (all === undefined) all = [first, value];
      else all.push(value);
    }
    if (all !== undefined) return all;
    if (first !== undefined) return first;
    const spaced = names.findIndex((candidate) => candidate.includes(" ") && withoutSpaces(candidate) === lower);
    if (spaced !== -1) return values[spaced];
    if (place !== -1) return positionalValue(this.event.data, place);
    if (lower === "data") return this.unnamedValues();
    if (hash !== undefined) return this.hashValue(hash);
    const manifest = this.options.manifest?.(providerKey(this.event.provider), this.event.eventId);
    const named = manifest === undefined ? -1 : manifest.findIndex((known) => known.toLowerCase() === lower);
    return named === -1 ? undefined : positionalValue(this.event.data, named);
  }

  /** Forwarders that name every value call the unnamed ones `param1`, `param2`, ... */
  private unnamedValues(): FieldValue {
    const { names, values } = this.event.data;
    const unnamed = values.filter((_, i) => names[i] === "" || POSITIONAL.test((names[i] as string).toLowerCase()));
    return unnamed.length === 0 ? undefined : unnamed;
  }

  /** `Hashes` is `MD5=...,SHA256=...,IMPHASH=...`; image loads of early Sysmon call it `Hash`. */
  private hashValue(prefix: string): FieldValue {
    for (const [name, value] of dataEntries(this.event.data)) {
      if (!HASH_FIELDS.has(name.toLowerCase())) continue;
      const part = value.split(",").find((each) => each.trimStart().toLowerCase().startsWith(prefix));
      if (part !== undefined) return part.trim().slice(prefix.length);
    }
    return undefined;
  }
}

/** Rules write the names of data without their spaces: Defender's `Threat Name` is `ThreatName`. */
function withoutSpaces(name: string): string {
  return name.replaceAll(" ", "").toLowerCase();
}

interface FieldName {
  readonly system: EventField | undefined;
  readonly data: string;
  readonly lower: string;
  /** The place that `param3` means, from 0; -1 for any other name. */
  readonly place: number;
  /** `md5=` for the name `md5`. */
  readonly hash: string | undefined;
}

const names = new Map<string, FieldName>();
/** Field names come from rules; the limit only guards against a caller that asks for names out of events. */
const NAMES_MAX = 100_000;
const POSITIONAL = /^param([1-9]\d{0,2})$/;
const HASH_NAMES: ReadonlySet<string> = new Set(["md5", "sha1", "sha256", "imphash"]);
const HASH_FIELDS: ReadonlySet<string> = new Set(["hashes", "hash"]);

function nameOf(field: string): FieldName {
  const held = names.get(field);
  if (held !== undefined) return held;
  const data = dataFieldName(field);
  const lower = data.toLowerCase();
  const match = POSITIONAL.exec(lower);
  const system = eventField(field.toLowerCase().replace(/^event\.system\./, ""));
  const place = match === null ? -1 : Number(match[1]) - 1;
  const name = { system, data, lower, place, hash: HASH_NAMES.has(lower) ? `${lower}=` : undefined };
  if (names.size >= NAMES_MAX) names.clear();
  names.set(field, name);
  return name;
}
