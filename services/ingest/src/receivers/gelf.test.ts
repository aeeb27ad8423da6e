/** GELF over real sockets: TCP, and UDP whole, packed and in parts. */
import { deflateSync, gzipSync } from "node:zlib";
import { settableClock } from "@culprit/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { equation, run, sendTcp, sendUdp } from "../test-kit.ts";
import { type ChunkDrop, ChunkSets } from "./gelf-chunks.ts";

const BOTH = { gelf: { tcp: { port: 0 }, udp: { port: 0 } } } as const;

/** As NXLog sends it. */
function gelf(n: number, message = "The Cluster Service service terminated."): string {
  return JSON.stringify({
    version: "1.1",
    host: "n1.corp.example",
    short_message: message.slice(0, 64),
    full_message: message,
    timestamp: 1_709_287_200.5 + n,
    level: 3,
    _EventID: 7031,
    _SourceName: "Service Control Manager",
    _Channel: "System",
    _RecordNumber: n,
    _param1: "Cluster Service",
  });
}

function parts(message: Uint8Array | string, count: number, id = "8bytesid"): Uint8Array[] {
  const bytes = Buffer.from(message);
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, place) =>
    Buffer.concat([
      Uint8Array.of(0x1e, 0x0f),
      Buffer.from(id),
      Uint8Array.of(place, count),
      bytes.subarray(place * size, (place + 1) * size),
    ]),
  );
}

test.each([
  ["NUL", "\0"],
  ["LF", "\n"],
])("messages that end with %s over TCP are events", async (_, end) => {
  await using running = await run({ config: BOTH });
  await sendTcp(running, "gelf-tcp", `${gelf(1)}${end}${gelf(2, "line one\nline two")}${end}not GELF${end}${gelf(3)}`);
  expect(await equation(running)).toMatchObject({ accepted: 4, events: 3, deadLetters: 1 });
  const [first] = await running.events();
  expect(first).toMatchObject({ receiver: "gelf", format: "gelf", event: { host: "n1.corp.example", eventId: 7031 } });
});

test.each([
  ["plain", (text: string) => [Buffer.from(text)]],
  ["gzip", (text: string) => [gzipSync(text)]],
  ["zlib", (text: string) => [deflateSync(text)]],
  [
    "in parts, backwards, one twice",
    (text: string) =>
      parts(text, 5)
        .flatMap((part) => [part, part])
        .reverse(),
  ],
  ["packed, then parted", (text: string) => parts(gzipSync(text), 3)],
  ["in the most parts", (text: string) => parts(text, 128)],
] as const)("a message over UDP is an event: %s", async (_, pack) => {
  await using running = await run({ config: BOTH });
  await sendUdp(running, "gelf-udp", pack(gelf(1, "m".repeat(2_000))));
  await expect.poll(() => equation(running)).toMatchObject({ accepted: 1, events: 1 });
});

test("B6 a datagram that unpacks to more than a record, and one that does not unpack, are dead letters", async () => {
  await using running = await run({ config: { ...BOTH, recordMaxBytes: 100_000 } });
  const broken = gzipSync(gelf(2));
  broken.fill(0xff, 12, 30);
  await sendUdp(running, "gelf-udp", [gzipSync(Buffer.alloc(20_000_000)), broken, gzipSync(gelf(3))]);
  await expect.poll(() => equation(running)).toMatchObject({ events: 1, deadLetters: 2 });
  expect((await running.letters()).map(({ reason }) => reason)).toEqual([
    "gelf.unpacks-too-large",
    "gelf.broken-packing",
  ]);
  expect(await running.metrics.valueOf("ingest_in_flight_bytes")).toBe(0);
});

test("parts that contradict themselves are dead letters", async () => {
  await using running = await run({ config: BOTH });
  const [part = new Uint8Array()] = parts("x".repeat(10), 2);
  const place = part.slice();
  place[10] = 2;
  const none = part.slice();
  none[11] = 0;
  await sendUdp(running, "gelf-udp", [place, none, part.subarray(0, 12)]);
  await expect
    .poll(async () => (await running.letters()).map(({ reason }) => reason))
    .toEqual(Array.from({ length: 3 }, () => "gelf.bad-chunk"));
});

test("a message whose parts do not all come in time is dropped and counted, though nothing else comes", async () => {
  const clock = settableClock(Date.UTC(2024, 2, 1, 12));
  await using running = await run({ config: BOTH, clock });
  await sendUdp(running, "gelf-udp", parts(gelf(1), 3).slice(0, 2));
  await expect.poll(() => running.metrics.valueOf("ingest_gelf_chunks_bytes")).toBeGreaterThan(0);
  await clock.advance(6_000);
  await expect.poll(() => running.metrics.valueOf("ingest_gelf_chunks_bytes")).toBe(0);
  expect(await running.metrics.valueOf("ingest_records_dropped_total", { reason: "chunks-late" })).toBe(1);
});

test("P7 parts take no more memory than they may; the oldest message goes first", () => {
  const drops: ChunkDrop[] = [];
  const sets = new ChunkSets({ timeoutMs: 5_000, maxBytes: 10_000, onDrop: (drop) => drops.push(drop) });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), fc.nat(130), fc.nat(130), fc.nat(1_000))), (datagrams) => {
      for (const [id, place, count, size] of datagrams) {
        const header = Buffer.from([0x1e, 0x0f, ...Buffer.from(String(id).padStart(8)), place, count]);
        sets.add(Buffer.concat([header, Buffer.alloc(size)]), { remote: "n1", elapsedMs: 0 });
        expect(sets.bytes).toBeLessThanOrEqual(10_000);
      }
    }),
  );
  const wide = (id: string) => parts(Buffer.alloc(8_000), 2, id)[0] ?? new Uint8Array();
  for (const id of ["aaaaaaaa", "bbbbbbbb", "cccccccc"]) sets.add(wide(id), { remote: "n1", elapsedMs: 0 });
  expect(drops.at(-1)).toBe("chunks-no-room");
  sets.expire(5_000);
  expect(sets.bytes).toBe(0);
});

test("one sender's parts do not go into another's message", () => {
  const sets = new ChunkSets({ timeoutMs: 5_000, maxBytes: 10_000, onDrop: () => {} });
  const [a = new Uint8Array(), b = new Uint8Array()] = parts("ab", 2);
  expect(sets.add(a, { remote: "n1", elapsedMs: 0 }).kind).toBe("waiting");
  expect(sets.add(b, { remote: "n2", elapsedMs: 0 }).kind).toBe("waiting");
  expect(sets.add(b, { remote: "n1", elapsedMs: 0 })).toEqual({ kind: "message", bytes: Buffer.from("ab") });
});
