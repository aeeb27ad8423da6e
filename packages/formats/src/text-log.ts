/**
 * Text logs given as files: cluster.log, setuperr.log, setupact.log, CBS.log, BDD.log, a KMS log export, a DPM error log.
 * Known by the name of the file, or by lines that bring their time in one of their shapes; a line without a stamp goes on
 * with the one before. They become events of the provider `FileLog`; product keys and passwords are masked.
 *
 * Source: CONTRACT.md "Text logs"; FORMATS.md sections 16 and 17.
 */
import { type Decoded, FILE_LOG_PROVIDER, namedData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { type DecodeContext, type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { isLogLine, type LogLine, readLogLine } from "./log-lines.ts";
import { maskSecrets } from "./mask.ts";

export const textLog: Format = {
  name: "text-log",
  text: {
    extent: "block",
    starts: (line, { own, only }) => isLogLine(line) || (only && !(own?.[0] !== undefined && isLogLine(own[0]))),
  },
  sniff: (record: InputRecord) => (record.shape === "text" && isLogLine(record.text) ? SURE_MATCH : NO_MATCH),
  select: (_bytes, selection) => selection.wants(FILE_LOG_PROVIDER.toLowerCase(), undefined, 0),
  *decode(record, context) {
    if (record.text.trim() === "") return;
    const line = readLogLine(record.text);
    const file = fileNameOf(context.path ?? "unnamed.log");
    const event = { file, channelFile: file, line: record.text, host: hostOfFile(file), stamp: line };
    yield fileLogEvent({ ...event, time: line?.time, original: record.text, marks: record.marks }, context);
  },
};

/** Files of the products that write text logs: every line is one, whatever it looks like. */
const LOG_NAME =
  /^(?:.{0,100}[._-])?(?:cluster|clusterhealth|setuperr|setupact|cbs|dism|bdd|litetouch|smsts|deploymentworkbench)(?:[._-].{0,100})?\.(?:log|lo_)$|\.errlog$|^(?:kms|vamt)[^/\\]{0,80}\.(?:txt|csv|log)$/i;
/** Other logs may as well hold forwarded events: only lines that no format knows are lines of a text log. */
const ANY_LOG_NAME = /\.log$/i;

/** How far the name of a file says that it is a text log. */
export function textLogOfName(path: string): "only" | "rest" | undefined {
  const name = fileNameOf(path);
  if (LOG_NAME.test(name)) return "only";
  return ANY_LOG_NAME.test(name) ? "rest" : undefined;
}

/** The name after the last slash of either kind. */
export function fileNameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** `Get-ClusterLog -Destination` puts the node's name before `_cluster.log`. */
function hostOfFile(file: string): string | undefined {
  return /^([a-z0-9][a-z0-9.-]{0,100})_(?:cluster|clusterhealth|setup[a-z]{3}|bdd|dism|cbs)\.log$/i.exec(file)?.[1];
}

export interface FileLogLine {
  /** As the event's `file` says it. */
  readonly file: string;
  /** As the channel names it. */
  readonly channelFile: string;
  readonly line: string;
  readonly host?: string | undefined;
  readonly stamp?: LogLine | undefined;
  readonly time?: string | undefined;
  readonly received?: string | undefined;
  readonly recordId?: string | undefined;
  readonly original: string;
  readonly marks: readonly string[];
}

/** The event of a line, from a file or from a forwarder of lines. Nothing that a mask covers is kept. */
export function fileLogEvent(line: FileLogLine, context: DecodeContext): Decoded<WindowsEvent> {
  const text = maskSecrets(line.line);
  const draft: EventDraft = {
    provider: FILE_LOG_PROVIDER,
    channel: `${FILE_LOG_PROVIDER}/${line.channelFile}`,
    computer: line.host,
    eventId: 0,
    level: line.stamp?.level,
    time: line.time,
    received: line.received,
    recordId: line.recordId,
    processId: line.stamp?.processId,
    threadId: line.stamp?.threadId,
    data: namedData([
      ["file", line.file],
      ["line", text],
    ]),
    message: text,
    original: maskSecrets(line.original),
    marks: line.marks,
  };
  return finishEvent(draft, context);
}
