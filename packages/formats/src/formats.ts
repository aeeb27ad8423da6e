/** All formats, in the order in which they are asked; a new one is its line here. */
import type { FormatSet } from "./decoder.ts";
import { eventXml } from "./event-xml.ts";
import { evtxReader } from "./evtx.ts";
import { filebeat } from "./filebeat.ts";
import type { Format } from "./format.ts";
import { labelledText } from "./labelled-text.ts";
import { splunkHec } from "./splunk-hec.ts";
import { splunkText } from "./splunk-text.ts";
import { isTextLogName, textLog } from "./text-log.ts";
import { winlogbeat } from "./winlogbeat.ts";

export const FORMATS: readonly Format[] = [
  winlogbeat,
  eventXml,
  filebeat,
  splunkHec,
  splunkText,
  labelledText,
  textLog,
];

/** The formats as the decoder uses them. */
export const FORMAT_SET: FormatSet = {
  formats: FORMATS,
  byName: (path) => (isTextLogName(path) ? textLog : undefined),
  binary: (_kind, context, options) => evtxReader(context, options),
};
