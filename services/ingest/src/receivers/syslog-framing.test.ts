import fc from "fast-check";
import { expect, test } from "vitest";
import { type FramingTrouble, SyslogFramer } from "./syslog-framing.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const counted = (message: string): string => `${Buffer.byteLength(message)} ${message}`;

function framed(chunks: readonly (Uint8Array | string)[], messageMaxBytes = 1_000) {
  const troubles: FramingTrouble[] = [];
  const framer = new SyslogFramer({ messageMaxBytes, onTrouble: (trouble) => troubles.push(trouble) });
  let sizeMax = 0;
  const messages = chunks.flatMap((chunk) => {
    const completed = framer.push(typeof chunk === "string" ? bytes(chunk) : chunk);
    sizeMax = Math.max(sizeMax, framer.size);
    return completed;
  });
  const { isLost } = framer;
  const all = [...messages, ...framer.end()];
  return { texts: all.map((message) => Buffer.from(message.bytes).toString()), all, troubles, isLost, sizeMax };
}

test("counted messages may hold anything, line ends and counts too", () => {
  const messages = ["<13>Mar  1 10:00:00 n1 a: line one\n<13>line two", "<14>b 57 <13>c", "<15>d\r\n\u0000"];
  expect(framed([messages.map(counted).join("")]).texts).toEqual(messages);
  expect(framed([`${messages.map(counted).join("\n")}\n`]).texts).toEqual(messages);
});

test("lines end with LF or CRLF, and blank ones say nothing", () => {
  expect(framed(["<13>a\r\n\r\n<14>b\n", "\n<15>c"]).texts).toEqual(["<13>a", "<14>b", "<15>c"]);
});

test("where the first message ends with NUL all do, and keep their line ends", () => {
  expect(framed(["<13>a\u0000<14>b\n  c\u0000"]).texts).toEqual(["<13>a", "<14>b\n  c"]);
});

test("a Windows message of several lines is joined, and held until the next begins or the connection is quiet", () => {
  const framer = new SyslogFramer({ messageMaxBytes: 1_000, onTrouble: () => {} });
  expect(framer.push(bytes("<13>An account failed.\r\n\r\nSubject:\r\n"))).toEqual([]);
  expect(framer.isHolding).toBe(true);
  expect(framer.push(bytes("\tLogon ID: 0x0\n<14>next\n")).map((m) => Buffer.from(m.bytes).toString())).toEqual([
    "<13>An account failed.\n\nSubject:\n\tLogon ID: 0x0",
  ]);
  expect(framer.lull().map((m) => Buffer.from(m.bytes).toString())).toEqual(["<14>next"]);
  expect([framer.isHolding, framer.size]).toEqual([false, 0]);
});

test("lines without a priority are whole by themselves, unless they open an element or an object", () => {
  const json = '{"EventID":7031}';
  expect(framed([`${json}\n${json}\n`]).texts).toEqual([json, json]);
  const xml = "<Event xmlns='x'>\n <System>\n </System>\n</Event>";
  const pretty = '{\n  "a": 1\n}';
  expect(framed([`${xml}\n${pretty}\n${xml}\n`]).texts).toEqual([xml, pretty, xml]);
});

test("a JSON line is given at once", () => {
  const framer = new SyslogFramer({ messageMaxBytes: 1_000, onTrouble: () => {} });
  expect(framer.push(bytes('{"a":1}\n'))).toHaveLength(1);
  expect(framer.isHolding).toBe(false);
});

test("B33 a line in a counted connection is a message of its own, and what follows is counted again", () => {
  const seen = framed([`${counted("<13>a")}<14>no count\n${counted("<15>c")}`]);
  expect([seen.texts, seen.troubles]).toEqual([["<13>a", "<14>no count", "<15>c"], ["mixed-framing"]]);
});

test("B33 counted messages in a connection of lines are parted, but never beyond their line", () => {
  const run = ["<13>b", "<14>c", "<15>d"].map(counted).join("");
  expect(framed([`<13>a\n${run}\n<16>e\n`]).texts).toEqual(["<13>a", "<13>b", "<14>c", counted("<15>d"), "<16>e"]);
  const greedy = framed(["<13>a\n900 <14>swallow what follows\n<15>not swallowed\n"]);
  expect(greedy.texts).toEqual(["<13>a", "900 <14>swallow what follows", "<15>not swallowed"]);
});

test("B33 a count of 999999999 allocates nothing, and the next line is read again", () => {
  const seen = framed([`${counted("<13>a")}999999999 <14>lie\n${counted("<15>c")}`]);
  expect([seen.texts, seen.troubles]).toEqual([["<13>a", "999999999 <14>lie", "<15>c"], ["bad-count"]]);
  expect(seen.sizeMax).toBeLessThan(100);
});

test("B33 a counted connection that shows neither count nor line end is lost, within the limit", () => {
  const seen = framed([counted("<13>a"), ...Array.from({ length: 50 }, () => "x".repeat(100))]);
  expect(seen.isLost).toBe(true);
  expect(seen.troubles).toEqual(["lost"]);
  expect(seen.texts[1]).toBe("x".repeat(1_000));
});

test("B34 a message above the limit is cut at the limit and marked, in either framing, and the next one is whole", () => {
  const long = `<13>${"m".repeat(3_000)}`;
  for (const input of [`${long}\n<14>next\n`, counted(long) + counted("<14>next")]) {
    const seen = framed([input]);
    expect(seen.all.map(({ isCut }) => isCut)).toEqual([true, false]);
    expect(seen.texts).toEqual([long.slice(0, 1_000), "<14>next"]);
    expect(seen.troubles).toEqual(["cut"]);
  }
});

test("B34 lines that go on with a message are cut at the limit together", () => {
  const seen = framed(["<13>begin\n", ...Array.from({ length: 400 }, (_, n) => `line ${n}\n`), "<14>next\n"]);
  expect(seen.all.map(({ isCut }) => isCut)).toEqual([true, false]);
  expect(seen.texts[0]?.length).toBeLessThanOrEqual(1_000);
  expect(seen.texts[1]).toBe("<14>next");
});

const piece = fc.constantFrom(
  "<13>",
  "a",
  "\n",
  "\r\n",
  "\u0000",
  "5 <14>b",
  "12 ",
  "999999999 <1>",
  "{",
  "}",
  "</Event>",
  " ",
);
const stream = fc.oneof(
  fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(""))),
  fc.array(fc.stringMatching(/^<13>[a-z\n]{0,20}$/)).map((messages) => Buffer.from(messages.map(counted).join(""))),
);

test("where a stream is parted into chunks changes no message", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(200), { maxLength: 20 }), (whole, cuts) => {
      const places = [0, ...[...cuts].map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const chunks = places.slice(1).map((end, i) => whole.subarray(places[i], end));
      expect(framed(chunks, 40).texts).toEqual(framed([whole], 40).texts);
    }),
  );
});

test("NUL in text of lines is data", () => {
  expect(framed(["<13>a\n<14>b\u0000c\n"]).texts).toEqual(["<13>a", "<14>b\u0000c"]);
});

test("P7 whatever bytes come, no more is held than a message and a chunk", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 40 }), (chunks) => {
      expect(framed(chunks, 60).sizeMax).toBeLessThanOrEqual(60 * 2 + 50 + 12);
    }),
  );
});

test("a message that comes byte by byte costs no more than its bytes", () => {
  const long = bytes(`${"m".repeat(900_000)}\n`);
  const chunks = Array.from(long, (byte) => Uint8Array.of(byte));
  const began = performance.now();
  expect(framed(chunks, 1_000_000).texts).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(5_000);
});
