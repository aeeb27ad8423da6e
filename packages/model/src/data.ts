/**
 * The data of an event: names and values side by side, in the order of the record. A positional value has the name "".
 * Two arrays instead of an object, because names may repeat, may be empty and may be `__proto__`.
 */
import { z } from "zod";

export const EventData = z.object({ names: z.array(z.string()), values: z.array(z.string()) });
export type EventData = Readonly<{ names: readonly string[]; values: readonly string[] }>;

export const NO_DATA: EventData = Object.freeze({ names: Object.freeze([]), values: Object.freeze([]) }) as EventData;

const POSITIONAL_NAME = /^param([1-9]\d{0,2})$/i;

/** Positional data, as classic sources write it. */
export function positionalData(values: readonly string[]): EventData {
  return { names: values.map(() => ""), values };
}

/** Named data; a repeated name is kept. */
export function namedData(pairs: Iterable<readonly [string, string]>): EventData {
  const names: string[] = [];
  const values: string[] = [];
  for (const [name, value] of pairs) {
    names.push(name);
    values.push(value);
  }
  return { names, values };
}

/**
 * The value of a field by name, without regard to case; the first where a name repeats.
 * `param3` also answers from the third positional value: Winlogbeat names unnamed values so, and SCM's manifest does.
 * `manifest` gives the names of positional values by place, from the event table.
 */
export function dataValue(data: EventData, name: string, manifest?: readonly string[]): string | undefined {
  const { names, values } = data;
  for (let i = 0; i < names.length; i += 1) {
    if (names[i] === name) return values[i];
  }
  const lower = name.toLowerCase();
  for (let i = 0; i < names.length; i += 1) {
    const candidate = names[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === lower) return values[i];
  }
  const place = placeOf(lower, manifest);
  return place === undefined ? undefined : positionalValue(data, place);
}

function placeOf(lower: string, manifest: readonly string[] | undefined): number | undefined {
  const match = POSITIONAL_NAME.exec(lower);
  if (match !== null) return Number(match[1]) - 1;
  if (manifest === undefined) return undefined;
  const place = manifest.findIndex((field) => field.toLowerCase() === lower);
  return place === -1 ? undefined : place;
}

/** The value at a place counted from 0: the n-th unnamed value, or the one a forwarder has named `param<n+1>`. */
export function positionalValue(data: EventData, place: number): string | undefined {
  const { names, values } = data;
  let seen = 0;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string;
    if (name === "") {
      if (seen === place) return values[i];
      seen += 1;
    } else {
      const match = POSITIONAL_NAME.exec(name);
      if (match !== null && Number(match[1]) === place + 1) return values[i];
    }
  }
  return undefined;
}

/** Every value with the name it goes by: its own, or `param<n>` for the n-th unnamed one. */
export function* dataEntries(data: EventData): Generator<readonly [string, string]> {
  let unnamed = 0;
  for (let i = 0; i < data.names.length; i += 1) {
    const name = data.names[i] as string;
    if (name === "") unnamed += 1;
    yield [name === "" ? `param${unnamed}` : name, data.values[i] as string];
  }
}

/**
 * Data as it is exported: an array when every value is positional, else an object without a prototype; values of a
 * repeated name become an array.
 */
export function exportData(data: EventData): readonly string[] | Record<string, string | string[]> {
  if (data.names.length > 0 && data.names.every((name) => name === "")) return data.values;
  const out: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of dataEntries(data)) {
    const held = out[name];
    if (held === undefined) out[name] = value;
    else if (Array.isArray(held)) held.push(value);
    else out[name] = [held, value];
  }
  return out;
}
