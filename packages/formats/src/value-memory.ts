/**
 * Reads values of JSON out of bytes where the same few come again and again: texts (a provider, a computer) and instants
 * within one minute. What stood there last is compared byte by byte, and only what is new is read.
 */
import type { EpochMs } from "@culprit/model";
import { readText, skipBlanks } from "./json-select.ts";

const QUOTE = 0x22;

/** Remembers the text read last. */
export class TextMemory {
  #bytes: Uint8Array = new Uint8Array(0);
  #text = "";

  /** The string that stands at a place: ASCII without escapes, not empty; `undefined` for anything else. */
  read(bytes: Uint8Array, place: number): string | undefined {
    if (place === 0) return undefined;
    const start = skipBlanks(bytes, place);
    const last = this.#bytes;
    let same = 0;
    while (same < last.length && bytes[start + same] === last[same]) same += 1;
    if (same > 0 && same === last.length) return this.#text;
    const text = readText(bytes, start);
    if (text === undefined || text.trim() === "") return undefined;
    this.#bytes = bytes.slice(start, start + text.length + 2);
    this.#text = text;
    return text;
  }
}

/** `"2024-03-01T10:00:`, quote included. */
const MINUTE_BYTES = 18;
const MINUTE = /^"\d{4}-\d\d-\d\dT\d\d:\d\d:$/;
const FRACTION_MAX = 9;

/** Remembers the minute read last. */
export class InstantMemory {
  #bytes: Uint8Array = new Uint8Array(0);
  #minute = 0;

  /** The instant that stands at a place as ISO 8601 in UTC, down to the millisecond; `undefined` for anything else. */
  read(bytes: Uint8Array, place: number): EpochMs | undefined {
    if (place === 0) return undefined;
    const start = skipBlanks(bytes, place);
    if (!this.#knows(bytes, start) && !this.#learn(bytes, start)) return undefined;
    let at = start + MINUTE_BYTES;
    const seconds = digit(bytes, at) * 10 + digit(bytes, at + 1);
    at += 2;
    let milliseconds = 0;
    if (bytes[at] === 0x2e) {
      const first = at + 1;
      let unit = 100;
      for (at = first; at - first < FRACTION_MAX && digit(bytes, at) >= 0; at += 1) {
        milliseconds += Math.trunc(digit(bytes, at) * unit);
        unit /= 10;
      }
    }
    const ends = bytes[at] === 0x5a && bytes[at + 1] === QUOTE;
    return ends && seconds >= 0 && seconds < 60 ? this.#minute + seconds * 1000 + milliseconds : undefined;
  }

  #knows(bytes: Uint8Array, start: number): boolean {
    const last = this.#bytes;
    for (let at = last.length - 1; at >= 0; at -= 1) if (bytes[start + at] !== last[at]) return false;
    return last.length > 0;
  }

  #learn(bytes: Uint8Array, start: number): boolean {
    const minute = bytes.slice(start, start + MINUTE_BYTES);
    const text = String.fromCharCode(...minute);
    const at = MINUTE.test(text) ? Date.parse(`${text.slice(1)}00Z`) : Number.NaN;
    if (Number.isNaN(at)) return false;
    this.#bytes = minute;
    this.#minute = at;
    return true;
  }
}

/** Far below any digit for a byte that is none, so that sums with it stay below zero. */
function digit(bytes: Uint8Array, at: number): number {
  const value = (bytes[at] ?? 0) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NEGATIVE_INFINITY;
}
