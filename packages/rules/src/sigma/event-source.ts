/**
 * Fields of a Windows event by Sigma's names: derived values first, then the System part, then EventData and UserData by
 * name (in any case), by place (`param1`) and by the names the provider's manifest gives to places.
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
    const { system, data, lower, place } = nameOf(field);
    if (system !== undefined && !system.afterData) return system.read(this.event);
    return this.dataValue(data, lower, place) ?? system?.read(this.event);
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

  private dataValue(name: string, lower: string, place: number): FieldValue {
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
    if (place !== -1) return positionalValue(this.event.data, place);
    const manifest = this.options.manifest?.(providerKey(this.event.provider), this.event.eventId);
    const named = manifest === undefined ? -1 : manifest.findIndex((known) => known.toLowerCase() === lower);
    return named === -1 ? undefined : positionalValue(this.event.data, named);
  }
}

interface FieldName {
  readonly system: EventField | undefined;
  readonly data: string;
  readonly lower: string;
  /** The place that `param3` means, from 0; -1 for any other name. */
  readonly place: number;
}

const names = new Map<string, FieldName>();
/** Field names come from rules; the limit only guards against a caller that asks for names out of events. */
const NAMES_MAX = 100_000;
const POSITIONAL = /^param([1-9]\d{0,2})$/;

function nameOf(field: string): FieldName {
  const held = names.get(field);
  if (held !== undefined) return held;
  const data = dataFieldName(field);
  const lower = data.toLowerCase();
  const match = POSITIONAL.exec(lower);
  const system = eventField(field.toLowerCase().replace(/^event\.system\./, ""));
  const name = { system, data, lower, place: match === null ? -1 : Number(match[1]) - 1 };
  if (names.size >= NAMES_MAX) names.clear();
  names.set(field, name);
  return name;
}
