/**
 * The table that `Get-WinEvent` prints: the provider above it, then a row for each event with its time, id, level and the
 * first line of its message. No computer, no record id, no data.
 */
import { finishEvent } from "./draft.ts";
import { firstLine } from "./first-line.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";

const PROVIDER = /^\s{0,8}ProviderName: (\S.{0,254}?)\s{0,8}$/;
const HEADING = /^TimeCreated\s{1,40}Id\s{1,20}LevelDisplayName\s{1,20}Message\s{0,8}$/;
const HEADING_MAX_LENGTH = 300;
/** The time ends where the id, which stands to the right of its column, has blanks before it. */
const ROW = /^(\d\S{3,12} .{4,20}?)\s{2,20}(\d{1,5}) (\S{2,20})\s{1,20}(\S.{0,2000})?$/;

export const consoleTable: Format = {
  name: "console-table",
  text: {
    extent: "block",
    starts: (line) => HEADING.test(line.slice(0, HEADING_MAX_LENGTH)),
    pulls: (line) => PROVIDER.test(line),
  },
  sniff: (record) => (record.shape === "text" && headingIn(record.text) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const lines = record.text.split("\n");
    const provider = PROVIDER.exec(lines[0] ?? "")?.[1];
    for (const line of lines) {
      const row = ROW.exec(line);
      if (row === null) continue;
      const [original, time, eventId, level, message] = row as unknown as readonly string[];
      yield finishEvent({ provider, time, eventId, level, message, original, marks: record.marks }, context);
    }
  },
};

/** Behind the provider, or alone where that was not copied. */
function headingIn(text: string): boolean {
  const first = firstLine(text, HEADING_MAX_LENGTH);
  if (HEADING.test(first.trimEnd())) return true;
  return (
    PROVIDER.test(first.trimEnd()) &&
    HEADING.test(firstLine(text.slice(first.length).trimStart(), HEADING_MAX_LENGTH).trimEnd())
  );
}
