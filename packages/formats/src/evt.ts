/**
 * Classic binary logs of Windows NT to 2003, read by `@culprit/evtx`. They are small (Windows keeps them under 300 MB in
 * all), a ring, and have no chunks: the whole file is read at its end.
 *
 * Source: FORMATS.md section 15.
 */
import { readEvt } from "@culprit/evtx";
import type { BinaryReader } from "./decoding.ts";
import { type EvtxOptions, itemOf } from "./evtx.ts";
import type { DecodeContext } from "./format.ts";
import { fileNameOf } from "./text-log.ts";

const EVT = "evt";

/** The file does not say which log it is; its usual names do. */
const CHANNELS: Readonly<Record<string, string>> = {
  sysevent: "System",
  appevent: "Application",
  secevent: "Security",
  dnsevent: "DNS Server",
  ntds: "Directory Service",
  ntfrs: "File Replication Service",
};

/** The log that a file of this name holds: a usual name, or the name itself. */
function channelOfFile(path: string): string {
  const name = fileNameOf(path).replace(/\.evt$/i, "");
  return CHANNELS[name.toLowerCase()] ?? name;
}

/** Reads a log that comes in chunks of any size. */
export function evtReader(context: DecodeContext, options: EvtxOptions = {}): BinaryReader {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const channel = context.path === undefined ? undefined : channelOfFile(context.path);
  return {
    push(chunk) {
      pieces.push(chunk.slice());
      size += chunk.length;
      return [];
    },
    *end() {
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      for (const item of readEvt(bytes, channel === undefined ? {} : { channel })) {
        const decoded = itemOf(item, context, EVT);
        if (decoded.event === undefined || wanted(decoded.event, options)) yield decoded;
        else options.onPassedOver?.({ source: decoded.source, count: 1, ...passedOver(decoded.event) });
      }
    },
  };
}

type Read = NonNullable<ReturnType<typeof itemOf>["event"]>;

function wanted(event: Read, options: EvtxOptions): boolean {
  const { selection } = options;
  if (selection === undefined) return true;
  const channel = event.channel === "" ? undefined : event.channel.toLowerCase();
  return selection.wants(event.provider.toLowerCase(), channel, event.eventId);
}

function passedOver(event: Read): {
  provider: string;
  channel: string;
  computer: string;
  firstAt: number;
  lastAt: number;
} {
  const { provider, channel, computer, timeCreated } = event;
  return { provider, channel, computer, firstAt: timeCreated, lastAt: timeCreated };
}
