/**
 * GELF over TCP (ended by NUL or LF) and over UDP (plain, gzip or zlib, whole or in parts). Nobody is answered.
 *
 * Source: FORMATS.md section 7.
 */
import { type Failure, SECOND_MS } from "@culprit/model";
import { repeat } from "@culprit/runtime";
import type { FramedRecord } from "../framed-records.ts";
import { chunksOf } from "../streams/chunks.ts";
import type { Listener, ListenerContext } from "../streams/context.ts";
import { listenDatagrams } from "../streams/datagram-server.ts";
import { setAside, storeRecords, withinQuota } from "../streams/store.ts";
import { type Connection, listenStream } from "../streams/stream-server.ts";
import { type Codec, unpack } from "../unpack.ts";
import { ChunkSets, isChunk } from "./gelf-chunks.ts";
import { GelfFramer, type GelfMessage } from "./gelf-framing.ts";

const RECEIVER = "gelf";
const CUT = ["cut"];

/** Opens what is configured of GELF. */
export function gelfListeners(context: ListenerContext): readonly Promise<Listener>[] {
  const { config, clock, counted, budget, stopping } = context;
  const { gelf } = config;
  if (gelf === undefined) return [];
  const sets = new ChunkSets({
    timeoutMs: gelf.chunksTimeoutMs,
    maxBytes: gelf.chunksMaxBytes,
    onDrop: (reason) => counted.dropped(RECEIVER, reason, 1),
  });
  const listeners: Promise<Listener>[] = [];
  if (gelf.tcp !== undefined) listeners.push(listenStream({ name: "gelf-tcp", config: gelf.tcp, context, serve }));
  if (gelf.udp !== undefined) {
    void repeat({ clock, everyMs: SECOND_MS, signal: stopping, work: () => sets.expire(clock.elapsed()) });
    context.metrics.observe("ingest_gelf_chunks", "Parts of unfinished messages", () => ({ bytes: sets.bytes }));
    const udp = { name: "gelf-udp", receiver: RECEIVER, config: gelf.udp, context, read: readDatagram };
    listeners.push(listenDatagrams(udp));
  }
  return listeners;

  async function serve({ socket, source, lease }: Connection): Promise<void> {
    const framer = new GelfFramer(config.recordMaxBytes);
    const from = { receiver: RECEIVER, source };
    const store = async (messages: readonly GelfMessage[]): Promise<boolean> => {
      const records = messages.map(({ bytes, isCut }) => (isCut ? { bytes, marks: CUT } : { bytes }));
      await withinQuota(records, from, context);
      return storeRecords(records, from, context);
    };
    for await (const chunk of chunksOf(socket, { clock, stopping, lullMs: () => undefined })) {
      if (chunk === "lull") continue;
      if (!(await store(framer.push(chunk)))) return;
      if (!lease.set(framer.size)) {
        counted.refused("gelf-tcp", "busy");
        break;
      }
    }
    await store(framer.end());
  }

  async function readDatagram(datagram: Uint8Array, remote: string): Promise<readonly FramedRecord[]> {
    let message = datagram;
    if (isChunk(datagram)) {
      const outcome = sets.add(datagram, { remote, elapsedMs: clock.elapsed() });
      if (outcome.kind === "waiting") return [];
      if (outcome.kind === "malformed") {
        return keep(datagram, remote, { reason: "gelf.bad-chunk", detail: outcome.detail });
      }
      message = outcome.bytes;
    }
    const codec = codecOf(message);
    if (codec === undefined) return [{ bytes: message }];
    const lease = budget.lease();
    const unpacked = await unpack(message, codec, {
      limits: { unpackedMaxBytes: config.recordMaxBytes, unpackRatioMax: config.unpackRatioMax },
      hold: lease.grow,
    });
    lease.release();
    if (unpacked.ok) return [{ bytes: unpacked.bytes }];
    if (unpacked.reason === "no-room") {
      counted.dropped(RECEIVER, "no-room", 1);
      return [];
    }
    const reason = unpacked.reason === "too-large" ? "gelf.unpacks-too-large" : "gelf.broken-packing";
    return keep(message, remote, { reason, detail: unpacked.detail });
  }

  /** Kept as a dead letter; nothing is left to decode. */
  async function keep(record: Uint8Array, remote: string, failure: Failure): Promise<readonly FramedRecord[]> {
    const from = { receiver: RECEIVER, source: { transport: "gelf-udp", remote } };
    await setAside(record, { from, failure }, context);
    return [];
  }
}

/** `1f 8b` is gzip; zlib's first byte is `78`, which no JSON text begins with. */
function codecOf(message: Uint8Array): Codec | undefined {
  if (message[0] === 0x1f && message[1] === 0x8b) return "gzip";
  return message[0] === 0x78 && (message[0] * 256 + (message[1] ?? 0)) % 31 === 0 ? "deflate" : undefined;
}
