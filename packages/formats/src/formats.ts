/**
 * All formats, in the order in which they are asked; a new one is its line here. Among those of text, the ones that are
 * known by a mark of their own come before those that any text may look like.
 */
import { adiscon, commaLine, eventlogToSyslog, nxlogSyslog, rsa, syslogNgAgent } from "./agent-lines.ts";
import { azureHub, azureRow, azureTables } from "./azure.ts";
import { bulkAction } from "./bulk-action.ts";
import { carried } from "./carried.ts";
import { cef } from "./cef.ts";
import { clixml } from "./clixml.ts";
import { cloudwatch, cloudwatchText, firehose } from "./cloudwatch.ts";
import { consoleTable } from "./console-table.ts";
import { formatList, friendlyView } from "./console-text.ts";
import { csv, viewerCsv } from "./csv.ts";
import type { FormatSet } from "./decoding.ts";
import { embeddedLine } from "./embedded-line.ts";
import { envelope } from "./envelope.ts";
import { eventJson } from "./event-json.ts";
import { eventXml } from "./event-xml.ts";
import { evtReader } from "./evt.ts";
import { evtxReader } from "./evtx.ts";
import { evtxEcmd } from "./evtx-ecmd.ts";
import { filebeat } from "./filebeat.ts";
import { flatJson } from "./flat-json.ts";
import { fluent } from "./fluent.ts";
import type { Format } from "./format.ts";
import { gelf } from "./gelf.ts";
import { chainsaw, hayabusa } from "./hunting.ts";
import { keyValue } from "./key-value.ts";
import { labelledText } from "./labelled-text.ts";
import { leef } from "./leef.ts";
import { nxlog } from "./nxlog.ts";
import { openwec } from "./openwec.ts";
import { ossec } from "./ossec.ts";
import { otlp } from "./otlp.ts";
import { powershellJson } from "./powershell-json.ts";
import { loki, promtail } from "./promtail.ts";
import { snare } from "./snare.ts";
import { splunkHec } from "./splunk-hec.ts";
import { splunkText } from "./splunk-text.ts";
import { syslog } from "./syslog.ts";
import { telegraf } from "./telegraf.ts";
import { textLog, textLogOfName } from "./text-log.ts";
import { vector } from "./vector.ts";
import { wazuh } from "./wazuh.ts";
import { winlogbeat } from "./winlogbeat.ts";
import { wmi } from "./wmi.ts";

export const FORMATS: readonly Format[] = [
  winlogbeat,
  bulkAction,
  eventXml,
  clixml,
  filebeat,
  openwec,
  wazuh,
  chainsaw,
  hayabusa,
  evtxEcmd,
  eventJson,
  powershellJson,
  otlp,
  azureRow,
  azureHub,
  azureTables,
  cloudwatch,
  firehose,
  loki,
  promtail,
  fluent,
  vector,
  telegraf,
  wmi,
  gelf,
  nxlog,
  splunkHec,
  carried,
  flatJson,
  envelope,
  snare,
  ossec,
  cef,
  leef,
  adiscon,
  syslogNgAgent,
  nxlogSyslog,
  eventlogToSyslog,
  rsa,
  cloudwatchText,
  splunkText,
  friendlyView,
  consoleTable,
  commaLine,
  textLog,
  viewerCsv,
  csv,
  syslog,
  embeddedLine,
  formatList,
  labelledText,
  keyValue,
];

/** The formats as the decoder uses them. */
export const FORMAT_SET: FormatSet = {
  formats: FORMATS,
  byName: (path) => {
    const reach = textLogOfName(path);
    return reach === undefined ? undefined : { format: textLog, reach };
  },
  binary: (kind, context, options) => (kind === "evtx" ? evtxReader(context, options) : evtReader(context, options)),
};
