/**
 * A UDP port: datagrams wait in a bounded queue until they are stored. Nobody can be held back over UDP, so what finds no
 * room is dropped and counted.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIPv6 } from "node:net";
import { Fault } from "@culprit/model";
import { HEALTHY } from "@culprit/runtime";
import type { FramedRecord } from "../framed-records.ts";
import type { DatagramListener } from "../listen-config.ts";
import { allowList, plainAddress } from "./allow-list.ts";
import type { Listener, ListenerContext } from "./context.ts";
import { storeRecords } from "./store.ts";

/** Stored at a time. */
const BATCH_DATAGRAMS = 2_000;
/** What a short datagram costs besides its bytes. */
const OVERHEAD_BYTES = 200;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly remote: string;
}

export interface DatagramServerOptions {
  readonly name: string;
  readonly receiver: string;
  readonly config: DatagramListener;
  readonly context: ListenerContext;
  /** The records of a datagram; none while it is a part of something. */
  read(datagram: Uint8Array, remote: string): Promise<readonly FramedRecord[]> | readonly FramedRecord[];
}

/** Opens a port. Errors: `ingest.cannot-listen`. */
export async function listenDatagrams(options: DatagramServerOptions): Promise<Listener> {
  const { name, receiver, config, context } = options;
  const { counted, logger } = context;
  const maySend = allowList(config.allow);
  const queue: Waiting[] = [];
  let queuedBytes = 0;
  let pumping: Promise<void> | undefined;

  const socket = createSocket({
    type: isIPv6(config.host) ? "udp6" : "udp4",
    recvBufferSize: config.socketBufferBytes,
  });
  socket.on("message", (bytes: Buffer, { address }: RemoteInfo) => {
    const remote = plainAddress(address);
    const cost = bytes.length + OVERHEAD_BYTES;
    if (!maySend(remote)) counted.refused(name, "not-allowed");
    else if (context.quotas.waitMs({ remote }) > 0) counted.dropped(receiver, "over-quota", 1);
    else if (queuedBytes + cost > config.queueMaxBytes) counted.dropped(receiver, "queue-full", 1);
    else {
      queuedBytes += cost;
      context.quotas.charge({ remote }, { bytes: bytes.length });
      queue.push({ bytes, remote });
      pumping ??= pump().finally(() => {
        pumping = undefined;
      });
    }
  });

  async function pump(): Promise<void> {
    // Whatever else has come meanwhile is stored with it.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const batch = queue.splice(0, BATCH_DATAGRAMS);
      try {
        await store(batch);
      } catch (error) {
        logger.error({ error, listener: name }, "datagrams could not be read");
        counted.dropped(receiver, "internal", batch.length);
      }
      for (const { bytes } of batch) queuedBytes -= bytes.length + OVERHEAD_BYTES;
    }
  }

  async function store(batch: readonly Waiting[]): Promise<void> {
    const bySender = new Map<string, FramedRecord[]>();
    for (const { bytes, remote } of batch) {
      const records = await options.read(bytes, remote);
      if (records.length === 0) continue;
      const held = bySender.get(remote);
      if (held === undefined) bySender.set(remote, [...records]);
      else held.push(...records);
    }
    await Promise.all(
      [...bySender].map(([remote, records]) =>
        storeRecords(records, { receiver, source: { transport: name, remote } }, context),
      ),
    );
  }

  context.metrics.observe(`ingest_${name.replaceAll("-", "_")}`, "Datagrams that wait", () => ({
    queued_bytes: queuedBytes,
  }));
  const bound = Promise.withResolvers<void>();
  socket.once("error", bound.reject);
  socket.bind({ address: config.host, port: config.port, exclusive: true }, bound.resolve);
  try {
    await bound.promise;
  } catch (cause) {
    const fields = { name, host: config.host, port: config.port };
    throw new Fault("ingest.cannot-listen", `cannot listen on ${config.host}:${config.port}`, { cause, fields });
  }
  socket.off("error", bound.reject);
  socket.on("error", (error) => logger.warn({ error, listener: name }, "a datagram socket had an error"));
  const { address, port } = socket.address();
  logger.info({ listener: name, host: address, port }, "listening");

  return {
    name,
    address: { host: address, port },
    health: () => HEALTHY,
    async stop() {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      await pumping;
    },
  };
}
