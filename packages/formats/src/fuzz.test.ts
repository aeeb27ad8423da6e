/** Damage of every kind to every real sample: nothing throws, nothing hangs, and every event that comes out is sound. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBytes } from "./decode-bytes.ts";
import { checkDecoding, Mutations, mutated } from "./mutation.test-support.ts";
import { RECEIVED_AT } from "./test-support.ts";

const CORPORA = fileURLToPath(new URL("../../../../shared/corpora", import.meta.url));
const here = existsSync(CORPORA);
if (!here) console.log("left out: mutations of the development corpus (../shared/corpora is not here)");
const SAMPLE_MAX_BYTES = 6_000;
const LONG_BYTES = 250_000;

const samples = here
  ? readdirSync(CORPORA, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(?:txt|json|xml|log|csv|raw|snap|evtx|Evt)$/.test(path))
      .map((path) => new Uint8Array(readFileSync(join(CORPORA, path)).subarray(0, SAMPLE_MAX_BYTES)))
  : [];

test.runIf(here)(
  "mutated real records give sound events or failures, and selection passes over none that is wanted",
  () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), Mutations, (bytes, mutations) =>
        checkDecoding(mutated(bytes, mutations)),
      ),
      { numRuns: 500 },
    );
  },
);

test.each([
  ["blanks", " "],
  ["quotes", '"'],
  ["braces", "{"],
  ["brackets", "["],
  ["objects", '{"a":'],
  ["closed objects", "{}"],
  ["less-than signs", "<"],
  ["events", "<Event "],
  ["open events", "<Event>"],
  ["escaped events", "&lt;Event "],
  ["ampersands", "&"],
  ["comments", "<!--"],
  ["wrappers", "<a>"],
  ["dashes", "- <"],
  ["equals signs", "a="],
  ["CEF", "CEF:0|a|b|c|1|"],
  ["LEEF", "LEEF:2.0|a|b|c|1|"],
  ["Snare", "MSWinEventLog\t1\t"],
  ["Snare with blanks", "MSWinEventLog 1 System Fri Mar 01 10:00:00 2024 1 "],
  ["priorities", "<13>"],
  ["labels", "Log Name: "],
  ["label lines", "Event ID: 1\n"],
  ["colons", "Source:"],
  ["pairs", "EventID=1 Source=x "],
  ["cluster lines", "00001344.0000043c::"],
  ["CMTrace", "<![LOG["],
  ["product keys", "ABCDE-12345-"],
  ["passwords", "password="],
  ["net user", "net user a "],
  ["MOF", 'instance of Win32_NTLogEvent {a="'],
  ["CSV", 'Level,Date and Time,Source,Event ID,Task Category\n"'],
  ["digits", "1"],
  ["tabs", "\t"],
  ["line ends", "\n"],
  ["backslashes", "\\"],
  ["OSSEC", "WinEvtLog: a: ERROR(1): "],
  ["structured data", '<13>1 - - - - - [win@18372.4 EVENT_ID="'],
])(
  "a quarter of a megabyte of %s is read to its end",
  (_name, piece) => {
    // Work that grows with the square of the length takes minutes; what grows with the length, a moment.
    const bytes = new TextEncoder().encode(piece.repeat(Math.ceil(LONG_BYTES / piece.length)));
    let items = 0;
    for (const _item of decodeBytes(bytes, { zone: "utc", receivedAt: RECEIVED_AT })) items += 1;
    expect(items).toBeLessThanOrEqual(LONG_BYTES);
  },
  30_000,
);
