/**
 * What consoles print of events: PowerShell's `Format-List`, and the Friendly view of Event Viewer's details, copied as
 * text. What wevtutil prints has Event Viewer's labels, and is labelled text.
 *
 * Source: FORMATS.md section 14; corpora/pasted-in-issues/kernel-power-41-friendly-view-wsl-1564.txt.
 */

import { namedData } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import type { JsonObject } from "./json-text.ts";
import { draftOfPowershell } from "./powershell-json.ts";

const LIST_PAIR = /^([A-Za-z]{2,30})\s{0,30} : ?(.*)$/;
const LIST_FIRST =
  /^(?:TimeCreated|ProviderName|Id|Message|LogName|RecordId|MachineName|LevelDisplayName|Index|EventID|InstanceId|EntryType|Source|TimeGenerated)\s{0,30} : /;

/** The first field of one event begins the next, too. */
export const formatList: Format = {
  name: "format-list",
  text: {
    extent: "block",
    starts: (line, { own, other }) => {
      if (other || !LIST_FIRST.test(line)) return false;
      return own === undefined || LIST_PAIR.exec(line)?.[1] === LIST_PAIR.exec(own[0] ?? "")?.[1];
    },
  },
  sniff: (record) => (record.shape === "text" && LIST_FIRST.test(record.text) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const value: JsonObject = Object.create(null);
    let open: string | undefined;
    for (const line of record.text.split("\n")) {
      const pair = LIST_PAIR.exec(line);
      if (pair !== null) {
        open = pair[1] as string;
        value[open] = pair[2] as string;
      } else if (open !== undefined) {
        // A value of several lines goes on under its own column.
        value[open] = `${value[open]}\n${line.trim()}`;
      }
    }
    yield finishEvent({ ...draftOfPowershell(value), original: record.text, marks: record.marks }, context);
  },
};

const FRIENDLY_START = /^[+-] System\s{0,4}$/;

export const friendlyView: Format = {
  name: "friendly-view",
  text: { extent: "block", starts: (line) => FRIENDLY_START.test(line) },
  sniff: (record) =>
    record.shape === "text" && FRIENDLY_START.test(firstLine(record.text, 40).trimEnd()) ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    const read = readFriendly(record.text);
    const field = (name: string): string | undefined => read.system.get(name);
    yield finishEvent(
      {
        provider: field("Provider.Name"),
        providerAlias: field("Provider.EventSourceName"),
        channel: field("Channel"),
        computer: field("Computer"),
        eventId: field("EventID"),
        qualifiers: field("EventID.Qualifiers"),
        version: field("Version"),
        level: field("Level"),
        keywords: field("Keywords"),
        task: field("Task"),
        opcode: field("Opcode"),
        time: field("TimeCreated.SystemTime"),
        recordId: field("EventRecordID"),
        processId: field("Execution.ProcessID"),
        threadId: field("Execution.ThreadID"),
        activityId: field("Correlation.ActivityID"),
        userId: field("Security.UserID"),
        data: namedData(read.data),
        original: record.text,
        marks: record.marks,
      },
      context,
    );
  },
};

const FRIENDLY_ATTRIBUTE = /^\[ ?([\w:]{1,40}) ?\]\s{0,8}(.*)$/;
const FRIENDLY_SECTION = /^[+-] (\w{1,60})$/;

/** `- Provider` opens an element, `[ Name]  X` is an attribute of it, `EventID 41` an element and its text. */
function readFriendly(text: string): { system: ReadonlyMap<string, string>; data: [string, string][] } {
  const system = new Map<string, string>();
  const data: [string, string][] = [];
  let element = "";
  let isData = false;
  for (const line of text.split("\n").map((written) => written.trim())) {
    if (line === "") continue;
    const section = FRIENDLY_SECTION.exec(line)?.[1];
    const attribute = FRIENDLY_ATTRIBUTE.exec(line);
    if (section !== undefined) {
      isData = isData || section === "EventData" || section === "UserData";
      element = section;
    } else if (attribute !== null) {
      if (!isData) system.set(`${element}.${attribute[1]}`, attribute[2] as string);
    } else {
      const blank = line.search(/\s/);
      const [name, value] = blank === -1 ? [line, ""] : [line.slice(0, blank), line.slice(blank).trim()];
      element = name;
      if (isData) data.push([name, value]);
      else system.set(name, value);
    }
  }
  return { system, data };
}
