/**
 * Lumberjack version 2, as Beats and Logstash send: windows of events, acknowledged once they are durable.
 *
 * A sender is held back by an acknowledgement that does not come yet, with an empty one every few seconds so that it does not
 * give up. It is refused by the end of the connection: it connects again and sends the window again, and what was stored is
 * recognised. Source: FORMATS.md section 3.2.
 */
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Clock } from "@culprit/runtime";
import type { Lease } from "../budget.ts";
import type { FramedRecord } from "../framed-records.ts";
import type { LumberjackConfig } from "../listen-config.ts";
import { chunksOf } from "../streams/chunks.ts";
import type { Listener, ListenerContext } from "../streams/context.ts";
import { storeSlice, withinQuota } from "../streams/store.ts";
import { type Connection, listenStream } from "../streams/stream-server.ts";
import { unpack } from "../unpack.ts";
import { type LumberjackFrame, LumberjackReader, lumberjackAck } from "./lumberjack-frames.ts";

const RECEIVER = "lumberjack";
/** Compressed frames inside compressed frames. */
const NESTED_MAX = 2;
/** A part of a window that is stored and acknowledged before the rest has come. */
const PART_RECORDS = 2_000;
const PART_BYTES = 4 * 1024 * 1024;
const CUT = ["cut"];

/** Opens the port of Beats and Logstash, if it is configured. */
export function lumberjackListeners(context: ListenerContext): readonly Promise<Listener>[] {
  const { lumberjack } = context.config;
  if (lumberjack === undefined) return [];
  const serve = (connection: Connection): Promise<void> => new Session(connection, lumberjack, context).run();
  return [listenStream({ name: RECEIVER, config: lumberjack, context, serve })];
}

/** Why a connection is closed. */
type Refusal = "bad-frame" | "broken-packing" | "unpacks-too-large" | "busy" | "not-stored";

class Session {
  readonly #socket: Socket;
  readonly #source: Connection["source"];
  readonly #lease: Lease;
  readonly #config: LumberjackConfig;
  readonly #context: ListenerContext;
  readonly #reader: LumberjackReader;
  /** Events of the open window that are not stored yet, and how many of it are still to come. */
  #waiting: FramedRecord[] = [];
  #waitingBytes = 0;
  #lastSequence = 0;
  #left = 0;

  constructor({ socket, source, lease }: Connection, config: LumberjackConfig, context: ListenerContext) {
    this.#socket = socket;
    this.#source = source;
    this.#lease = lease;
    this.#config = config;
    this.#context = context;
    this.#reader = this.#newReader();
  }

  async run(): Promise<void> {
    const { clock, stopping, counted } = this.#context;
    for await (const chunk of chunksOf(this.#socket, { clock, stopping, lullMs: () => undefined })) {
      if (chunk === "lull") continue;
      const refusal = (await this.#frames(this.#reader.push(chunk), 0)) ?? this.#hold(0);
      if (refusal !== undefined) {
        counted.refused(RECEIVER, refusal);
        return;
      }
    }
  }

  async #frames(frames: Iterable<LumberjackFrame>, nested: number): Promise<Refusal | undefined> {
    for (const frame of frames) {
      const refusal = await this.#frame(frame, nested);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  async #frame(frame: LumberjackFrame, nested: number): Promise<Refusal | undefined> {
    switch (frame.kind) {
      case "window":
        // A window that is not complete and yet followed by another was given up by its sender; what came of it is stored.
        this.#left = frame.count;
        this.#lastSequence = 0;
        return frame.count === 0 ? this.#store() : undefined;
      case "event":
        return this.#event(frame);
      case "compressed":
        return nested >= NESTED_MAX ? "bad-frame" : this.#compressed(frame.bytes, nested);
      case "bad":
        this.#context.logger.warn({ ...this.#source, detail: frame.detail }, "not lumberjack version 2");
        return "bad-frame";
    }
  }

  #event({
    sequence,
    bytes,
    isCut,
  }: Extract<LumberjackFrame, { kind: "event" }>): Promise<Refusal | undefined> | Refusal | undefined {
    if (this.#left === 0) return "bad-frame";
    this.#left -= 1;
    this.#lastSequence = sequence;
    this.#waiting.push(isCut ? { bytes, marks: CUT } : { bytes });
    this.#waitingBytes += bytes.length;
    const isDue = this.#left === 0 || this.#waiting.length >= PART_RECORDS || this.#waitingBytes >= PART_BYTES;
    return isDue ? this.#store() : undefined;
  }

  async #compressed(sent: Uint8Array, nested: number): Promise<Refusal | undefined> {
    const { unpackedMaxBytes, unpackRatioMax } = this.#context.config;
    let unpackedBytes = 0;
    const unpacked = await unpack(sent, "deflate", {
      limits: { unpackedMaxBytes, unpackRatioMax },
      hold: (bytes) => {
        unpackedBytes += bytes;
        return this.#hold(sent.length + unpackedBytes) === undefined;
      },
    });
    if (!unpacked.ok) {
      if (unpacked.reason === "no-room") return "busy";
      return unpacked.reason === "too-large" ? "unpacks-too-large" : "broken-packing";
    }
    const inner = this.#newReader();
    const refusal = await this.#frames(inner.push(unpacked.bytes), nested + 1);
    return refusal ?? (inner.isInside ? "bad-frame" : undefined);
  }

  #newReader(): LumberjackReader {
    const { recordMaxBytes } = this.#context.config;
    return new LumberjackReader({ recordMaxBytes, frameMaxBytes: this.#config.frameMaxBytes });
  }

  #hold(more: number): "busy" | undefined {
    return this.#lease.set(this.#reader.size + this.#waitingBytes + more) ? undefined : "busy";
  }

  /** Stores what waits and acknowledges it. */
  async #store(): Promise<Refusal | undefined> {
    const records = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const done = new AbortController();
    const keepingAlive = this.#keepAlive(this.#context.clock, done.signal);
    try {
      const from = { receiver: RECEIVER, source: this.#source };
      await withinQuota(records, from, this.#context);
      await storeSlice(records, from, this.#context);
    } catch (error) {
      this.#context.logger.warn({ error, ...this.#source }, "a window could not be stored and will be sent again");
      return "not-stored";
    } finally {
      done.abort();
      await keepingAlive;
    }
    await this.#answer(this.#lastSequence);
    return undefined;
  }

  async #keepAlive(clock: Clock, signal: AbortSignal): Promise<void> {
    while (await clock.sleep(this.#config.keepAliveMs, signal)) await this.#answer(0);
  }

  async #answer(sequence: number): Promise<void> {
    if (!this.#socket.writable || this.#socket.write(lumberjackAck(sequence))) return;
    // A sender that reads no answers is waited for, until it is gone.
    const over = new AbortController();
    const { signal } = over;
    await Promise.race(["drain", "close"].map((event) => once(this.#socket, event, { signal }))).catch(() => {});
    over.abort();
  }
}
