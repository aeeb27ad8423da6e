/**
 * Syslog over TCP, UDP and TLS around any payload. Nobody is answered: what was read is stored before more is read, and what
 * is lost here is counted.
 *
 * Source: FORMATS.md section 6; RFC 6587, 5425, 5426.
 */
import type { FramedRecord } from "../framed-records.ts";
import type { StreamListener } from "../listen-config.ts";
import { chunksOf } from "../streams/chunks.ts";
import type { Listener, ListenerContext } from "../streams/context.ts";
import { listenDatagrams } from "../streams/datagram-server.ts";
import { storeRecords, withinQuota } from "../streams/store.ts";
import { type Connection, listenStream } from "../streams/stream-server.ts";
import { SyslogFramer, type SyslogMessage } from "./syslog-framing.ts";

const RECEIVER = "syslog";
const CUT = ["cut"];

/** Opens what is configured of syslog. */
export function syslogListeners(context: ListenerContext): readonly Promise<Listener>[] {
  const { syslog } = context.config;
  if (syslog === undefined) return [];
  const { tcp, udp, tls } = syslog;
  const stream = (name: string, config: StreamListener): Promise<Listener> =>
    listenStream({ name, config, context, serve: (connection) => serve(name, connection) });
  return [
    ...(tcp === undefined ? [] : [stream("syslog-tcp", tcp)]),
    ...(tls === undefined ? [] : [stream("syslog-tls", tls)]),
    ...(udp === undefined
      ? []
      : [listenDatagrams({ name: "syslog-udp", receiver: RECEIVER, config: udp, context, read: readDatagram })]),
  ];

  async function serve(name: string, { socket, source, lease }: Connection): Promise<void> {
    const { counted, config, clock, stopping } = context;
    const framer = new SyslogFramer({
      messageMaxBytes: Math.min(config.syslog?.messageMaxBytes ?? config.recordMaxBytes, config.recordMaxBytes),
      onTrouble: (trouble) => counted.repaired(RECEIVER, trouble),
    });
    const from = { receiver: RECEIVER, source };
    const store = async (messages: readonly SyslogMessage[]): Promise<boolean> => {
      const records = messages.map((message) => recordOf(message, source.remote));
      await withinQuota(records, from, context);
      return storeRecords(records, from, context);
    };
    const lullMs = config.syslog?.lullMs;
    const chunks = chunksOf(socket, { clock, stopping, lullMs: () => (framer.isHolding ? lullMs : undefined) });
    for await (const chunk of chunks) {
      const messages = chunk === "lull" ? framer.lull() : framer.push(chunk);
      if (!(await store(messages)) || framer.isLost) return;
      if (!lease.set(framer.size)) {
        counted.refused(name, "busy");
        break;
      }
    }
    await store(framer.end());
  }
}

function recordOf({ bytes, isCut }: SyslogMessage, remote: string): FramedRecord {
  return { bytes, host: remote, ...(isCut ? { marks: CUT } : {}) };
}

/** One datagram is one message; a line end or NUL after it belongs to no message. */
function readDatagram(datagram: Uint8Array, remote: string): readonly FramedRecord[] {
  let end = datagram.length;
  while (end > 0 && [0x0a, 0x0d, 0x00].includes(datagram[end - 1] ?? -1)) end -= 1;
  return end === 0 ? [] : [{ bytes: datagram.subarray(0, end), host: remote }];
}
