/**
 * A cheap look at a JSON record as bytes: the values of its event id keys, without parsing.
 *
 * Inside a JSON string a quote is written `\"`, so `"event_id":` with a plain quote before it stands only where a key
 * begins. Keys may repeat, in other objects or by duplication: every value counts, and one that is wanted is enough. A key
 * may be written with escapes (`"event\u005fid"`): a record with an escaped letter, digit or underscore is not judged.
 */
import type { Glance } from "./selection.ts";

export interface JsonKeys {
  /** A key that only records of the format have, with an object as its value; without it, the record is not judged. */
  readonly proof: string;
  /** The keys that may hold the event id, all of them. */
  readonly ids: readonly string[];
  readonly provider?: string;
}

const LATIN = new TextDecoder("latin1");
/** An escaped character of the kind that keys are made of: nobody writes these so but to hide a key. */
const ESCAPED_KEY_CHARACTER = /\\u00(?:2[de]|3[0-9]|4[0-9a-f]|5[0-9af]|6[0-9a-f]|7[0-9a])/i;
/** Keys that other formats hold the event id in: with one of them there, the record may be another's. */
const OTHER_IDS = /"(?:EventI[dD]|eventI[dD]|EventCode|eventCode|Id|InstanceId|externalId|_raw|System)"\s{0,8}:/;
const ID_VALUE = /^\s{0,8}:\s{0,8}"?(\d{1,10})"?\s{0,8}[,}\]\r\n]/;
const NAME_VALUE = /^\s{0,8}:\s{0,8}"([^"\\]{1,200})"/;
const VALUE_SAMPLE = 240;

/** What the bytes show; `undefined` where they cannot be judged. */
export function glanceJson(bytes: Uint8Array, keys: JsonKeys): Glance | undefined {
  const text = LATIN.decode(bytes);
  if (!hasProof(text, keys.proof) || ESCAPED_KEY_CHARACTER.test(text) || OTHER_IDS.test(text)) return undefined;
  const eventIds: number[] = [];
  for (const key of keys.ids) {
    for (const value of valuesOf(text, key)) {
      const match = ID_VALUE.exec(value);
      if (match === null) return undefined;
      eventIds.push(Number(match[1]) % 0x10000);
    }
  }
  const provider = keys.provider === undefined ? undefined : onlyName(text, keys.provider);
  return provider === undefined ? { eventIds } : { eventIds, provider };
}

function hasProof(text: string, proof: string): boolean {
  for (const value of valuesOf(text, proof)) if (/^\s{0,8}:\s{0,8}\{/.test(value)) return true;
  return false;
}

/** What follows each place where the key stands. */
function* valuesOf(text: string, key: string): Iterable<string> {
  const needle = `"${key}"`;
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + needle.length)) {
    const after = at + needle.length;
    yield text.slice(after, after + VALUE_SAMPLE);
  }
}

function onlyName(text: string, key: string): string | undefined {
  let name: string | undefined;
  for (const value of valuesOf(text, key)) {
    const found = NAME_VALUE.exec(value)?.[1];
    if (found === undefined || (name !== undefined && name !== found)) return undefined;
    name = found;
  }
  if (name === undefined) return undefined;
  for (let i = 0; i < name.length; i += 1) if (name.charCodeAt(i) > 0x7e) return undefined;
  return name;
}
