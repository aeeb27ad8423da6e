/**
 * Lines of text logs that Filebeat and its like forward: one document per line, with `log.file.path` (before version 7:
 * `source` and `offset`), `message` and the host's name.
 *
 * Source: CONTRACT.md "Text logs".
 */
import { FILE_LOG_PROVIDER } from "@culprit/model";
import { type DecodeContext, type Format, LIKELY_MATCH, NO_MATCH } from "./format.ts";
import { readTime } from "./instant-text.ts";
import { fieldOf, isObject, type JsonObject, pathOf, textOf } from "./json-text.ts";
import { type LogLine, readLogLine } from "./log-lines.ts";
import { fileLogEvent, fileNameOf } from "./text-log.ts";

export const filebeat: Format = {
  name: "filebeat",
  sniff(record) {
    if (record.shape !== "json" || fieldOf(record.value, "winlog") !== undefined) return NO_MATCH;
    return pathOfLine(record.value) !== undefined && textOf(fieldOf(record.value, "message")) !== undefined
      ? LIKELY_MATCH + 10
      : NO_MATCH;
  },
  // The lines are not told apart before they are read; documents of other formats never get here by this alone.
  select: (bytes, selection) =>
    bytes[0] !== OPEN_BRACE ||
    selection.wants(FILE_LOG_PROVIDER.toLowerCase(), undefined, 0) ||
    !isFilebeat(LATIN.decode(bytes)),
  *decode(record, context) {
    if (record.shape !== "json") return;
    const { value } = record;
    const path = pathOfLine(value) ?? "";
    const line = textOf(fieldOf(value, "message")) ?? "";
    const stamp = readLogLine(line);
    const shipped = textOf(fieldOf(value, "@timestamp"));
    yield fileLogEvent(
      {
        file: path,
        channelFile: fileNameOf(path),
        line,
        host: hostOf(value),
        stamp,
        time: timeOf(stamp, shipped, context),
        received: textOf(pathOf(value, "event.created")) ?? shipped,
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

const OPEN_BRACE = 0x7b;
const LATIN = new TextDecoder("latin1");

/** Only documents that can be nothing else are passed over by `select`: the path, the message, and no event of Windows. */
function isFilebeat(text: string): boolean {
  return (
    /"log"\s{0,8}:\s{0,8}\{[^{}]{0,400}"file"\s{0,8}:\s{0,8}\{[^{}]{0,400}"path"/.test(text) &&
    !/winlog|event_?i[dentifr]|eventcode|<Event|&lt;Event/i.test(text)
  );
}

function pathOfLine(value: JsonObject): string | undefined {
  const path = textOf(pathOf(value, "log.file.path"));
  if (path !== undefined) return path;
  const shipped = isObject(fieldOf(value, "beat")) || fieldOf(value, "prospector") !== undefined;
  return shipped && typeof fieldOf(value, "offset") === "number" ? textOf(fieldOf(value, "source")) : undefined;
}

function hostOf(value: JsonObject): string | undefined {
  for (const path of [
    "host.name",
    "host.hostname",
    "agent.hostname",
    "agent.name",
    "beat.hostname",
    "beat.name",
    "host",
  ]) {
    const name = textOf(pathOf(value, path));
    if (name !== undefined && name !== "") return name;
  }
  return undefined;
}

/** Clocks of the world are at most this far apart. */
const ZONES_APART_MS = 26 * 3_600_000;

/**
 * The line's own stamp, where it means one instant. A local stamp within a day of the shipper's is less exact than the
 * shipper's (a line is shipped seconds after it is written, and its zone is not known); one further away is of an older
 * line that is read late, and an hour of doubt is better than a day.
 */
function timeOf(stamp: LogLine | undefined, shipped: string | undefined, context: DecodeContext): string | undefined {
  if (stamp === undefined) return shipped;
  if (stamp.zoned || shipped === undefined) return stamp.time;
  const own = readTime(stamp.time, context);
  const at = readTime(shipped, context);
  if (own === undefined) return shipped;
  return at === undefined || Math.abs(own.at - at.at) > ZONES_APART_MS ? stamp.time : shipped;
}
