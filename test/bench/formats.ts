/**
 * How fast text formats are decoded and selected, on one core: Winlogbeat NDJSON as a multiple of JSON.parse over the same
 * lines, event XML as a multiple of saxes over the same text; and how much memory a long input takes.
 *
 * Input is made here, the same on every run: Security logons of 4.7 KB as Winlogbeat 8 writes them and of 1.8 KB (NDJSON),
 * and of 1.9 KB (XML), of which one in a thousand is wanted. Selection counts what it passes over, log by log.
 */
import { SaxesParser } from "saxes";
import { createDecoder, type DecoderOptions, type Selection } from "../../packages/formats/src/index.ts";
import type { BenchFigure, BenchResult } from "./evtx.ts";
import { DATA, MESSAGE, shortLogon } from "./short-logon.ts";
import { winlogbeatLogon } from "./winlogbeat-record.ts";

const RECORDS = 20_000;
const CHUNK_BYTES = 1024 * 1024;
const ROUNDS = 5;
/** Times that the input is repeated to see what memory does. */
const LONG = 12;
const WANTED_ID = 7031;
const WANTED_EVERY = 1_000;

const selection: Selection = { wants: (_provider, _channel, eventId) => eventId === WANTED_ID };

/** Measures. */
export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  const add = (name: string, value: number, unit: BenchFigure["unit"]): void => {
    figures.push({ name, value, unit });
    print(`formats: ${name}: ${value.toFixed(unit === "ratio" ? 2 : 0)} ${unit}`);
  };
  for (const [name, record] of [
    ["NDJSON", winlogbeatLogon],
    ["NDJSON of short records", shortLogon],
  ] as const) {
    const lines = Array.from({ length: RECORDS }, (_, i) => JSON.stringify(record(i, eventIdOf(i))));
    const json = new TextEncoder().encode(`${lines.join("\n")}\n`);
    const parse = secondsOf(() => {
      for (const line of lines) JSON.parse(line);
    });
    measure(name, json, add, { name: "JSON.parse", seconds: parse });
  }
  const text = Array.from({ length: RECORDS }, (_, i) => element(i)).join("\n");
  const xml = new TextEncoder().encode(text);
  const sax = secondsOf(() => {
    const parser = new SaxesParser({ fragment: true });
    parser.write(text).close();
  });
  measure("event XML", xml, add, { name: "saxes", seconds: sax });
  add("event XML, resident memory over a long input", residentGrowth(xml), "MB");
  return { bench: "formats", figures, leftOut: [] };
}

function measure(
  name: string,
  bytes: Uint8Array,
  add: (name: string, value: number, unit: BenchFigure["unit"]) => void,
  other: { name: string; seconds: number },
): void {
  for (const [what, options] of [
    ["decode", {}] as const,
    ["selection", { selection, onPassedOver: () => {} }] as const,
  ]) {
    const expected = what === "decode" ? RECORDS : RECORDS / WANTED_EVERY;
    const seconds = secondsOf(() => {
      if (decode(bytes, options) !== expected) throw new Error(`${name}, ${what}: wrong number of events`);
    });
    add(`${name}, ${what}`, bytes.length / 1e6 / seconds, "MB/s");
    add(`${name}, ${what}`, RECORDS / seconds, "records/s");
    add(`${name}, ${what}, times as fast as ${other.name}`, other.seconds / seconds, "ratio");
  }
}

function decode(bytes: Uint8Array, options: Partial<DecoderOptions>, times = 1): number {
  const decoder = createDecoder({ zone: "utc", receivedAt: 0, ...options });
  let events = 0;
  for (let n = 0; n < times; n += 1) {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      for (const item of decoder.push(bytes.subarray(at, at + CHUNK_BYTES))) if (item.event !== undefined) events += 1;
    }
  }
  for (const item of decoder.end()) if (item.event !== undefined) events += 1;
  return events;
}

/** How much the process has grown after an input of `LONG` times the bytes. */
function residentGrowth(bytes: Uint8Array): number {
  const before = process.memoryUsage.rss();
  decode(bytes, {}, LONG);
  return Math.max(0, process.memoryUsage.rss() - before) / 1e6;
}

function secondsOf(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    work();
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  return best;
}

const eventIdOf = (i: number): number => (i % WANTED_EVERY === 0 ? WANTED_ID : 4624);

/** One event element. */
function element(i: number): string {
  const data = DATA.map(([name, value]) => `<Data Name='${name}'>${value}</Data>`).join("");
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing'/>" +
    `<EventID>${eventIdOf(i)}</EventID><Level>0</Level><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2024-03-01T10:00:00.1234567Z'/>` +
    `<EventRecordID>${100_000 + i}</EventRecordID><Execution ProcessID='700' ThreadID='712'/><Channel>Security</Channel><Computer>dc1.contoso.com</Computer></System>` +
    `<EventData>${data}</EventData><RenderingInfo Culture='en-US'><Message>${MESSAGE}</Message></RenderingInfo></Event>`
  );
}

if (import.meta.main) await run();
