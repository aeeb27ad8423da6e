/**
 * Judges event XML in a stretch of bytes before it is framed: where an event ends, and whether any rule can want it, by its
 * System part as Windows writes it.
 *
 * Only what can be read in no other way is judged: an event whose first child is System, which begins with an empty Provider
 * and the EventID; that ends at a `</Event>` outside of attributes, with no comment, no CDATA and no other event before it;
 * and behind which another event begins. All else is framed and read as ever.
 */

import { hasOtherName } from "./provider-alias.ts";
import type { Selection, Shown } from "./selection.ts";
import { shownBy, shownBySystem } from "./shown.ts";
import { type Verdicts, verdictsOf } from "./verdicts.ts";

export const EVENT_XML_START = Buffer.from("<Event xmlns=");
const EVENT = Buffer.from("Event");
const SYSTEM_END = "</System>";
const BANG = 0x21;
const DOUBLE_QUOTE = 0x22;
const QUOTE = 0x27;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const BLANK = 0x20;
/** How much of an event its System part may take. */
const SYSTEM_MAX_BYTES = 1_024;

const HEAD =
  /^<Event xmlns=(?:'[^'<>]*'|"[^"<>]*")>\s*<System>\s*<Provider Name=(?:'([^'<>&]*)'|"([^"<>&]*)")([^<>]*)\/>\s*<EventID(?: Qualifiers=(?:'\d*'|"\d*"))?>(\d{1,5})<\/EventID>/;
const ASCII = /^[\x20-\x7e]+$/;

/** What was found at a place: no event that can be judged, one that has not ended yet, or its end and its System part. */
export type Judged =
  | { readonly kind: "unknown" | "unfinished" }
  | { readonly kind: "unwanted"; readonly end: number; shown(): Shown };

const UNKNOWN: Judged = { kind: "unknown" };
const UNFINISHED: Judged = { kind: "unfinished" };

/** Judges the events of one input. */
export class EventXmlJudge {
  readonly #verdicts: Verdicts;

  constructor(selection: Selection) {
    this.#verdicts = verdictsOf(selection);
  }

  /** Judges the event that begins at `at`; its end includes the blanks behind it. */
  judge(bytes: Buffer, at: number): Judged {
    if (!standsAt(bytes, at, EVENT_XML_START)) return UNKNOWN;
    const end = endOfPlainEvent(bytes, at);
    if (end === undefined) return UNKNOWN;
    if (end === -1) return UNFINISHED;
    const next = nextEvent(bytes, end);
    const event = bytes.subarray(at, end);
    if (next === -1 || hasDeclaration(event) || endsInAttribute(event)) return UNKNOWN;
    const head = bytes.toString("latin1", at, Math.min(end, at + SYSTEM_MAX_BYTES));
    if (!this.#isUnwanted(head)) return UNKNOWN;
    return { kind: "unwanted", end: next, shown: () => shownOf(head, event) };
  }

  #isUnwanted(head: string): boolean {
    const match = HEAD.exec(head);
    if (match === null) return false;
    const [, single, double, attributes = "", id] = match;
    const name = single ?? double ?? "";
    const isKnown = ASCII.test(name) && !hasOtherName(attributes, name);
    return !this.#verdicts.wants(isKnown ? name : undefined, undefined, Number(id) % 0x10000);
  }
}

/** Behind the `</Event>` of the event at `at`; -1 where there is none yet, `undefined` where it ends in another way. */
function endOfPlainEvent(bytes: Buffer, at: number): number | undefined {
  for (let i = bytes.indexOf(EVENT, at + 6); i !== -1; i = bytes.indexOf(EVENT, i + 5)) {
    const behind = bytes[i + 5] ?? 0;
    if (behind > BLANK && behind !== GREATER && behind !== SLASH) continue;
    const before = bytes[i - 1];
    if (before === SLASH && bytes[i - 2] === LESS) return behind === GREATER ? i + 6 : undefined;
    if (before === LESS || before === COLON) return undefined;
  }
  return -1;
}

/** Where the next event begins, if nothing but blanks stands before it; else -1. */
function nextEvent(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) <= BLANK) at += 1;
  return standsAt(bytes, at, EVENT_XML_START) ? at : -1;
}

function standsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Whether a comment, CDATA or a document type stands in it. */
function hasDeclaration(event: Uint8Array): boolean {
  for (let at = event.indexOf(BANG); at !== -1; at = event.indexOf(BANG, at + 1)) {
    if (event[at - 1] === LESS) return true;
  }
  return false;
}

/** Whether its end stands in an attribute: the last quote of a kind is then one that opens a value. */
function endsInAttribute(event: Uint8Array): boolean {
  return opensValue(event, event.lastIndexOf(QUOTE)) || opensValue(event, event.lastIndexOf(DOUBLE_QUOTE));
}

function opensValue(event: Uint8Array, quote: number): boolean {
  let before = quote - 1;
  while (before > 0 && (event[before] as number) <= BLANK) before -= 1;
  return event[before] === EQUALS;
}

function shownOf(head: string, event: Uint8Array): Shown {
  const system = head.indexOf(SYSTEM_END);
  return (system === -1 ? undefined : shownBySystem(head.slice(0, system))) ?? shownBy(event);
}
