/** Damage to samples, and what must hold of whatever is decoded: for the tests, and for the longer run of `npm run fuzz`. */
import assert from "node:assert/strict";
import { WindowsEvent } from "@culprit/model";
import fc from "fast-check";
import { decodeBytes } from "./decode-bytes.ts";
import { exportEvent } from "./event-export.ts";
import type { Selection } from "./selection.ts";
import { RECEIVED_AT } from "./test-support.ts";

/** Bytes that mean something to a framer or a reader. */
const TELLING = [
  ...[
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "&",
    "\n",
    "\r\n",
    ",",
    "|",
    "=",
    "\t",
    "\0",
    "\ufeff",
    ":",
    "'",
    ";",
    "%",
  ],
  ...["<Event>", "</Event>", "<e:Event ", "<![CDATA[", "]]>", "<!--", "<!DOCTYPE x [", "&#0;", "&lt;Event ", "\\u0000"],
  ...["\\ud800", "1e999", "0x", "-1", "18446744073709551616", "Log Name: x", "Message=", "\u200e", '{"__proto__":'],
  ...[
    "<13>",
    "CEF:0|",
    "MSWinEventLog\t",
    "[{",
    "}]",
    '{"event":',
    '"winlog":{',
    "Record 1\n",
    "ElfChnk\0",
    "\u001f\u008b",
  ],
];

const Mutation = fc.oneof(
  fc.record({
    kind: fc.constant("put"),
    at: fc.nat(),
    remove: fc.nat({ max: 200 }),
    add: fc.constantFrom(...TELLING, ""),
  }),
  fc.record({ kind: fc.constant("flip"), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat() }),
  fc.record({
    kind: fc.constant("repeat"),
    at: fc.nat(),
    length: fc.nat({ max: 300 }),
    times: fc.integer({ min: 2, max: 20 }),
  }),
);
type Mutation = Readonly<{
  kind: string;
  at: number;
  remove?: number;
  add?: string;
  bit?: number;
  length?: number;
  times?: number;
}>;

/** Some damage, or none. */
export const Mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(Mutation, { maxLength: 5 });

export function mutated(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let changed = Buffer.from(bytes);
  for (const { kind, at, remove = 0, add = "", bit = 0, length = 0, times = 0 } of mutations) {
    const place = at % (changed.length + 1);
    if (kind === "put") {
      changed = Buffer.concat([changed.subarray(0, place), Buffer.from(add), changed.subarray(place + remove)]);
    } else if (kind === "flip") {
      if (place < changed.length) changed[place] = (changed[place] ?? 0) ^ (1 << bit);
    } else if (kind === "cut") changed = changed.subarray(0, place);
    else {
      const piece = changed.subarray(place, place + length);
      changed = Buffer.concat([
        changed.subarray(0, place),
        ...Array(times).fill(piece),
        changed.subarray(place + length),
      ]);
    }
  }
  return new Uint8Array(changed);
}

const ODD: Selection = { wants: (_provider, _channel, eventId) => eventId % 2 === 1 };

/** Decodes and looks at all that comes out. Errors: of an assertion, or whatever a decoder throws. */
export function checkDecoding(bytes: Uint8Array): void {
  const options = { zone: "Europe/Berlin", receivedAt: RECEIVED_AT };
  let odd = 0;
  for (const item of decodeBytes(bytes, options)) {
    if (item.event === undefined) {
      assert.match(item.failure.reason, /^[a-z0-9-]+\.[a-z0-9-]+$/);
      continue;
    }
    const { event } = item;
    assert.equal(WindowsEvent.safeParse(event).error, undefined);
    assert.equal(event.data.names.length, event.data.values.length);
    JSON.stringify(exportEvent(event, item.source));
    if (ODD.wants(undefined, undefined, event.eventId)) odd += 1;
  }
  let selected = 0;
  for (const { event } of decodeBytes(bytes, { ...options, selection: ODD })) {
    if (event !== undefined && ODD.wants(undefined, undefined, event.eventId)) selected += 1;
  }
  assert.equal(selected, odd, "selection passed over something wanted");
  assert.deepEqual(Object.keys(Object.prototype), []);
}
