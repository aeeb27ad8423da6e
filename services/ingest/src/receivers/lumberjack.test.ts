/** Lumberjack over real sockets, as Beats and Logstash send it. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { deflateSync } from "node:zlib";
import { settableClock } from "@culprit/runtime";
import fc from "fast-check";
import { expect, test } from "vitest";
import { equation, type Running, run, tcp, winlogbeat } from "../test-kit.ts";
import { LumberjackReader } from "./lumberjack-frames.ts";

const ON = { lumberjack: { port: 0 } } as const;

function frame(letter: string, ...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(2 + numbers.length * 4);
  bytes.write(`2${letter}`);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 2 + i * 4);
  return bytes;
}

const event = (sequence: number, text: string): Buffer =>
  Buffer.concat([frame("J", sequence, Buffer.byteLength(text)), Buffer.from(text)]);

function packed(frames: Uint8Array): Buffer {
  const bytes = deflateSync(frames, { level: 3 });
  return Buffer.concat([frame("C", bytes.length), bytes]);
}

const events = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text, i) => event(i + 1, text)));
const batch = (texts: readonly string[]): Buffer => Buffer.concat([frame("W", texts.length), packed(events(texts))]);

/** Connects and gathers the sequences that are acknowledged. */
async function beat(running: Running): Promise<{ socket: Socket; acks: number[] }> {
  const socket = await tcp(running, "lumberjack");
  const acks: number[] = [];
  let held = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (; held.length >= 6; held = held.subarray(6)) {
      expect(held.subarray(0, 2).toString()).toBe("2A");
      acks.push(held.readUInt32BE(2));
    }
  });
  return { socket, acks };
}

const refused = (running: Running, reason: string) =>
  running.metrics.valueOf("ingest_requests_refused_total", { receiver: "lumberjack", reason });

test("P1 a window is acknowledged once its events are stored, packed or not", async () => {
  await using running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  socket.write(batch([1, 2, 3].map((n) => winlogbeat(n))));
  await expect.poll(() => acks).toEqual([3]);
  expect((await running.events()).map(({ event: { recordId } }) => recordId)).toEqual(["1", "2", "3"]);
  socket.write(Buffer.concat([frame("W", 2), event(1, winlogbeat(4)), event(2, winlogbeat(5))]));
  await expect.poll(() => acks).toEqual([3, 2]);
  expect(running.service.sources()).toMatchObject([
    { receiver: "lumberjack", events: 5, deliveries: 2, formats: [{ format: "winlogbeat", events: 5 }] },
  ]);
  socket.destroy();
});

test("two windows in flight, in many frames and in small pieces, are acknowledged one after the other", async () => {
  await using running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  const first = Buffer.concat([
    frame("W", 3),
    packed(event(1, winlogbeat(1))),
    event(2, winlogbeat(2)),
    packed(packed(event(3, winlogbeat(3)))),
  ]);
  const bytes = Buffer.concat([first, batch([winlogbeat(4)]), frame("W", 0)]);
  for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
  await expect.poll(() => acks).toEqual([3, 1, 0]);
  expect(await equation(running)).toMatchObject({ accepted: 4, events: 4 });
  socket.destroy();
});

test("a large window is stored and acknowledged in parts, never beyond its count", async () => {
  await using running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  socket.write(batch(Array.from({ length: 5_000 }, (_, n) => winlogbeat(n))));
  await expect.poll(() => acks.at(-1), { timeout: 10_000 }).toBe(5_000);
  expect(acks).toEqual([2_000, 4_000, 5_000]);
  expect(await equation(running)).toMatchObject({ events: 5_000 });
  socket.destroy();
});

test("F22 a window that is sent again after a lost answer is no second time an event", async () => {
  await using running = await run({ config: ON });
  for (let i = 0; i < 2; i += 1) {
    const { socket, acks } = await beat(running);
    socket.write(batch([winlogbeat(1), winlogbeat(2)]));
    await expect.poll(() => acks).toEqual([2]);
    socket.destroy();
  }
  expect(await equation(running)).toMatchObject({ accepted: 4, events: 2, duplicates: 2 });
});

test("F13 a sender waits with keep-alives while nothing can be stored, and is acknowledged afterwards", async () => {
  let now = 1_000;
  const clock = settableClock(Date.UTC(2024, 2, 1, 12));
  await using running = await run({
    config: ON,
    clock,
    bus: { sizeMaxBytes: 4_000_000, reserveBytes: 1_000_000, now: () => now },
  });
  const message = "m".repeat(300_000);
  const { socket, acks } = await beat(running);
  let sent = 0;
  while (running.service.health().state === "ok") {
    sent += 1;
    socket.write(batch([winlogbeat(sent, { message })]));
    await expect.poll(() => acks.length === sent || running.service.health().state !== "ok").toBe(true);
  }
  const before = acks.length;
  await clock.advance(5_000);
  await expect.poll(() => acks.slice(before)).toEqual([0]);
  now += 10 * 86_400_000;
  await running.bus.retain();
  await clock.advance(5_000);
  await expect.poll(() => acks.at(-1)).toBe(1);
  expect(await equation(running)).toMatchObject({ events: sent });
  socket.destroy();
});

test("F47 a window that is not complete when the service stops is not acknowledged", async () => {
  const running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  socket.write(batch([winlogbeat(1)]));
  await expect.poll(() => acks).toEqual([1]);
  socket.write(frame("W", 2));
  socket.write(event(1, winlogbeat(2)));
  const closed = once(socket, "close");
  await running.service.stop();
  await closed;
  expect(acks).toEqual([1]);
  await running.bus.close();
});

test("B15 an event that cannot be read is a dead letter, and the window is acknowledged", async () => {
  await using running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  socket.write(batch([winlogbeat(1), '{"broken":', winlogbeat(2)]));
  await expect.poll(() => acks).toEqual([3]);
  expect(await equation(running)).toMatchObject({ events: 2, deadLetters: 1 });
  socket.destroy();
});

test("B21 an event above the limit, or that claims 4 GB, is cut without being held", async () => {
  await using running = await run({ config: { ...ON, recordMaxBytes: 100_000 } });
  const { socket, acks } = await beat(running);
  const long = winlogbeat(1, { message: "m".repeat(5_000_000) });
  socket.write(Buffer.concat([frame("W", 2), event(1, long), event(2, winlogbeat(2))]));
  await expect.poll(() => acks).toEqual([2]);
  expect(await equation(running)).toMatchObject({ events: 1, deadLetters: 1 });
  socket.write(Buffer.concat([frame("W", 1), frame("J", 1, 0xffff_ffff)]));
  for (let i = 0; i < 20; i += 1) socket.write(Buffer.alloc(100_000, "x"));
  await expect.poll(() => acks).toEqual([2, 1]);
  expect(await running.metrics.valueOf("ingest_in_flight_bytes")).toBeLessThan(1_000_000);
  socket.destroy();
});

test.each([
  ["B6 a bomb", Buffer.concat([frame("W", 1), packed(Buffer.alloc(80_000_000))]), "unpacks-too-large"],
  ["B8 broken packing", Buffer.concat([frame("W", 1), frame("C", 8), Buffer.from("nonsense")]), "broken-packing"],
  ["a compressed frame that claims 4 GB", Buffer.concat([frame("W", 1), frame("C", 0xffff_ffff)]), "bad-frame"],
  ["frames packed too often", Buffer.concat([frame("W", 1), packed(packed(packed(event(1, "{}"))))]), "bad-frame"],
  ["half a frame in a packed one", Buffer.concat([frame("W", 1), packed(event(1, "{}").subarray(0, 8))]), "bad-frame"],
  ["an event without a window", event(1, "{}"), "bad-frame"],
  ["another version", Buffer.from("1W\0\0\0\x01"), "bad-frame"],
  ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "bad-frame"],
] as const)("%s ends the connection and is counted", async (_, bytes, reason) => {
  await using running = await run({ config: ON });
  const { socket, acks } = await beat(running);
  socket.write(bytes);
  await once(socket, "close");
  expect([acks, await refused(running, reason), await running.events()]).toEqual([[], 1, []]);
  expect(await running.metrics.valueOf("ingest_in_flight_bytes")).toBe(0);
});

test("P7 a connection that finds no room in memory is closed, the one that takes it goes on", async () => {
  await using running = await run({ config: { ...ON, inFlightMaxBytes: 100_000 } });
  const [large, small] = [await beat(running), await beat(running)];
  large.socket.write(Buffer.concat([frame("W", 1), frame("J", 1, 300_000), Buffer.alloc(90_000, " ")]));
  await expect.poll(() => running.metrics.valueOf("ingest_in_flight_bytes")).toBeGreaterThan(80_000);
  small.socket.write(Buffer.concat([frame("W", 1), frame("J", 1, 50_000), Buffer.alloc(40_000, " ")]));
  await once(small.socket, "close");
  expect(await refused(running, "busy")).toBe(1);
  const text = winlogbeat(1);
  large.socket.write(Buffer.alloc(210_000 - text.length, " "));
  large.socket.write(text);
  await expect.poll(() => large.acks).toEqual([1]);
  large.socket.destroy();
});

test("whatever bytes come, the reader ends, and holds no more than a frame and a chunk", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(frame("W", 2), frame("C", 20), frame("J", 1, 5), frame("J", 1, 900), Buffer.from("2")),
    ),
  );
  fc.assert(
    fc.property(pieces, (chunks) => {
      const limits = { recordMaxBytes: 50, frameMaxBytes: 50 };
      const reader = new LumberjackReader(limits);
      const seen = chunks.flatMap((chunk) => {
        const frames = [...reader.push(chunk)];
        return frames;
      });
      const bad = seen.findIndex(({ kind }) => kind === "bad");
      expect(bad === -1 || bad === seen.length - 1).toBe(true);
      if (bad === -1) expect(reader.size).toBeLessThanOrEqual(60 + 30);
      const whole = new LumberjackReader(limits);
      expect([...whole.push(Buffer.concat(chunks))]).toEqual(seen);
    }),
  );
});
