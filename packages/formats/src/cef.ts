/**
 * CEF, as ArcSight's Windows connectors write it: provider and event id in the signature, `externalId`, custom strings with
 * labels, and the classic strings in `rawEvent`.
 *
 * Source: FORMATS.md section 6.3. Header: `\|`, `\\`; extension: `\=`, `\\`, `\n`, `\r`.
 */

import { type EventData, namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { readSyslogHeader } from "./syslog-header.ts";

const MARK = /(?:^|[\s>])CEF: ?\d{1,2}\|/;
const MARK_WITHIN = 400;
const HEADER_FIELDS = 7;

export const cef: Format = {
  name: "cef",
  text: { extent: "block", starts: (line) => MARK.test(firstLine(line, MARK_WITHIN)) },
  sniff: (record) =>
    record.shape === "text" && MARK.test(firstLine(record.text, MARK_WITHIN)) ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    const start = record.text.search(/CEF: ?\d/);
    const { fields, extension } = readHeader(record.text.slice(start));
    const values = readExtension(extension);
    const raw = rawEvent(values.get("rawEvent"));
    const labelled = labels(values);
    const signature = fields[4] ?? "";
    const colon = signature.lastIndexOf(":");
    const header = readSyslogHeader(record.text.slice(0, start));
    const within = header.host === undefined ? context : { ...context, host: header.host };
    yield finishEvent(
      {
        provider:
          labelled.get("EventSource") ??
          raw.get("EventSource") ??
          (colon > 0 ? signature.slice(0, colon) : undefined) ??
          // Splunk's CEF output, which names the log among its custom strings.
          values.get("deviceFacility"),
        channel: values.get("cat") ?? raw.get("EventlogType") ?? labelled.get("journalName"),
        computer: values.get("dvchost") ?? values.get("dhost") ?? raw.get("ComputerName") ?? values.get("shost"),
        eventId: values.get("externalId") ?? raw.get("EventID") ?? signature.slice(colon + 1),
        level: raw.get("EventType") ?? values.get("deviceSeverity") ?? labelled.get("eventOutcome"),
        time: values.get("rt") ?? values.get("end") ?? raw.get("DetectTime") ?? header.time,
        received: values.get("art") ?? values.get("ad.art"),
        recordId:
          raw.get("EventIndex") ??
          values.get("ad.EventIndex") ??
          values.get("EventIndex") ??
          values.get("ad.EventRecordID"),
        data: dataOf(values, raw, labelled),
        message: values.get("msg") ?? values.get("message") ?? fields[5],
        original: record.text,
        marks: record.marks,
      },
      within,
    );
  },
};

/** Seven fields between bars, with their escapes read, and the extension behind them. */
function readHeader(text: string): { fields: readonly string[]; extension: string } {
  const fields: string[] = [];
  let field = "";
  let at = 0;
  for (; at < text.length && fields.length < HEADER_FIELDS; at += 1) {
    const c = text[at] as string;
    if (c === "\\" && (text[at + 1] === "|" || text[at + 1] === "\\")) {
      at += 1;
      field += text[at] ?? "";
    } else if (c === "|") {
      fields.push(field);
      field = "";
    } else field += c;
  }
  if (fields.length < HEADER_FIELDS) fields.push(field);
  return { fields, extension: text.slice(at) };
}

const KEY = /(?:^|\s)([A-Za-z_][\w.]{0,63}(?:\[\d{1,3}\])?)=/g;

/** A value runs to where a blank, a key and an unescaped `=` follow. */
function readExtension(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const starts = Array.from(text.matchAll(KEY));
  starts.forEach((match, i) => {
    const end = starts[i + 1]?.index ?? text.length;
    const key = match[1] as string;
    if (!values.has(key)) values.set(key, unescaped(text.slice(match.index + match[0].length, end).trim()));
  });
  return values;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", "=": "=", "\\": "\\", "|": "|" };

function unescaped(text: string): string {
  return text.includes("\\") ? text.replace(/\\([nr=\\|])/g, (_all, c: string) => ESCAPES[c] ?? c) : text;
}

/** `EventlogType=System&&EventIndex=1604&&…&&Key[0]=Cluster Service`. */
function rawEvent(text: string | undefined): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of (text ?? "").split("&&")) {
    const equals = part.indexOf("=");
    if (equals > 0) pairs.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return pairs;
}

/** What the custom strings and numbers mean: `cs3Label=EventSource` names `cs3`. */
function labels(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [key, label] of values) {
    if (!/^(?:cs|cn|cfp|deviceCustom\w{4,10})\d?Label$/.test(key)) continue;
    const value = values.get(key.slice(0, -"Label".length));
    if (value !== undefined) named.set(label, value);
  }
  return named;
}

const NOT_DATA = new Set(["EventSource", "EventlogCategory"]);

function dataOf(
  values: ReadonlyMap<string, string>,
  raw: ReadonlyMap<string, string>,
  labelled: ReadonlyMap<string, string>,
): EventData {
  const pairs: [string, string][] = [];
  for (const [key, value] of raw) if (/^Key\[\d{1,3}\]$/.test(key)) pairs.push(["", value]);
  for (const [key, value] of values) {
    if (key.startsWith("ad.") && key !== "ad.EventIndex" && key !== "ad.art") pairs.push([key.slice(3), value]);
  }
  for (const [label, value] of labelled) if (!NOT_DATA.has(label)) pairs.push([label, value]);
  return namedData(pairs);
}
