/**
 * OSSEC's and Wazuh's line of old: `2016 Sep 27 10:48:30 WinEvtLog: Security: AUDIT_SUCCESS(4624): source: user: domain:
 * host: message`, with or without the archive's prefix.
 *
 * Source: FORMATS.md section 6.2; corpora/ossec-hids and corpora/wazuh-ruleset.
 */

import { finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";

const LINE =
  /WinEvtLog: ([^:]{1,255}): (INFORMATION|ERROR|WARNING|CRITICAL|VERBOSE|AUDIT_SUCCESS|AUDIT_FAILURE)\((\d{1,10}|0x[0-9A-Fa-f]{1,8})\):/;
const STAMP = /(\d{4} [A-Z][a-z]{2} [ \d]?\d \d{2}:\d{2}:\d{2}) $/;
const ARCHIVE = /^\s{0,4}(\d{4} [A-Z][a-z]{2} [ \d]?\d \d{2}:\d{2}:\d{2}) \(([^)]{1,128})\) \S{1,64}->/;
const MARK_WITHIN = 600;

export const ossec: Format = {
  name: "ossec",
  text: { extent: "block", starts: (line) => LINE.test(firstLine(line, MARK_WITHIN)) },
  sniff: (record) =>
    record.shape === "text" && LINE.test(firstLine(record.text, MARK_WITHIN)) ? SURE_MATCH : NO_MATCH,
  select: () => true,
  *decode(record, context) {
    const { text } = record;
    const match = LINE.exec(text);
    if (match === null) return;
    const before = text.slice(0, match.index);
    const archive = ARCHIVE.exec(text);
    // source: user: domain: host: message
    const parts = fieldsAfter(text.slice(match.index + match[0].length), 4);
    yield finishEvent(
      {
        channel: match[1],
        level: match[2],
        eventId: match[3],
        provider: parts[0],
        computer: parts[3] ?? archive?.[2],
        time: STAMP.exec(before)?.[1],
        received: archive?.[1],
        message: parts[4],
        original: text,
        marks: record.marks,
      },
      context,
    );
  },
};

/** Fields up to a colon and a blank; what follows the last of them is the message. */
function fieldsAfter(text: string, count: number): (string | undefined)[] {
  const fields: string[] = [];
  let rest = text.trimStart();
  while (fields.length < count) {
    const colon = /:(?: |$)/.exec(rest);
    if (colon === null) break;
    fields.push(rest.slice(0, colon.index));
    rest = rest.slice(colon.index + colon[0].length);
  }
  if (fields.length < count) return fields;
  return [...fields, rest];
}
