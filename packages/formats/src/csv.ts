/**
 * Tables as CSV: Event Viewer's "save as CSV" (and TXT, with tabs), and those whose columns are the fields of a JSON form:
 * `Get-EventLog | Export-Csv`, `Get-WinEvent | Export-Csv`, EvtxECmd, Hayabusa, Azure's portal, Kibana, Graylog. A row
 * comes with its heading, and is decoded as the JSON object that it is.
 *
 * Source: FORMATS.md section 14.
 */
import { failure } from "@culprit/model";
import { parse } from "csv-parse/sync";
import { finishEvent } from "./draft.ts";
import { type Format, type InputRecord, NO_MATCH, SURE_MATCH } from "./format.ts";
import { type JsonObject, type JsonValue, parseJson } from "./json-text.ts";
import { labelField } from "./labels.ts";

const DELIMITERS = [",", ";", "\t"];
const HEADING_MAX_LENGTH = 4_000;
/** Columns of which a table of events has at least one from each list. */
const ID_COLUMN = /(?:^|[._])event[._ ]?(?:id|code)$/;
/** Says less, so that the table must be wider. */
const BARE_ID_COLUMN = /^(?:instance)?id$/;
const SOURCE_COLUMN =
  /^(?:source|provider|ruletitle)$|(?:^|[._])(?:event)?(?:source|provider)[._]?name$|^event\.provider$/;
const COLUMNS_MIN = 4;
const COLUMNS_MIN_BARE = 5;
/** Columns that hold an object as JSON. */
const OBJECT_COLUMN = /^(?:event|user)_?data$/i;

export const viewerCsv: Format = {
  name: "viewer-csv",
  text: { extent: "table", starts: (line, { own, other }) => own === undefined && !other && isViewerHeading(line) },
  sniff: (record) => (record.shape === "text" && isViewerHeading(headingOf(record)) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const rows = rowsOf(record.text);
    const row = rows?.[1];
    if (row === undefined) {
      yield failure("csv.row-unreadable", "a row that is not CSV");
      return;
    }
    // Level, date and time, source, event id, task category, and the message that no heading names.
    const [level, time, provider, eventId, task, ...message] = row;
    const draft = { level, time, provider, eventId, task, message: message.join(",") };
    yield finishEvent({ ...draft, original: record.text, marks: record.marks }, context);
  },
};

export const csv: Format = {
  name: "csv",
  text: { extent: "table", starts: (line, { own, other }) => own === undefined && !other && isTableHeading(line) },
  sniff: (record) => (record.shape === "text" && isTableHeading(headingOf(record)) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const rows = rowsOf(record.text);
    const [heading, row] = rows ?? [];
    if (heading === undefined || row === undefined) {
      yield failure("csv.row-unreadable", "a row that is not CSV");
      return;
    }
    const value: JsonObject = Object.create(null);
    heading.forEach((name, i) => {
      const cell = row[i] ?? "";
      // PowerShell writes the names of types where a cell would hold a list.
      if (cell === "" || cell.startsWith("System.")) return;
      const column = columnName(name);
      value[column] = OBJECT_COLUMN.test(column) ? objectOr(cell) : cell;
    });
    yield* context.inner(JSON.stringify(value), context);
  },
};

function objectOr(cell: string): JsonValue {
  const parsed = cell.startsWith("{") ? parseJson(cell) : undefined;
  return parsed?.ok === true ? parsed.value.value : cell;
}

/** The portal of Azure writes `TimeGenerated [UTC]`. */
function columnName(name: string): string {
  return name.trim().replace(/ \[[^\]]{1,40}\]$/, "");
}

function headingOf(record: InputRecord): string {
  const end = record.text.indexOf("\n");
  return end === -1 ? record.text : record.text.slice(0, end);
}

/** Five columns, of which the third and fourth are the source and the id in any language. */
function isViewerHeading(line: string): boolean {
  const cells = headingCells(line);
  return (
    cells !== undefined &&
    cells.length >= 5 &&
    cells.length <= 6 &&
    labelField(cells[2] ?? "") === "provider" &&
    labelField(cells[3] ?? "") === "eventId"
  );
}

function isTableHeading(line: string): boolean {
  const cells = headingCells(line)?.map((cell) => columnName(cell).toLowerCase());
  if (cells === undefined) return false;
  if (cells.includes("_raw")) return true;
  if (!cells.some((cell) => SOURCE_COLUMN.test(cell))) return false;
  if (cells.some((cell) => ID_COLUMN.test(cell))) return cells.length >= COLUMNS_MIN;
  return cells.some((cell) => BARE_ID_COLUMN.test(cell)) && cells.length >= COLUMNS_MIN_BARE;
}

/** The cells of a heading: short, and none of them a number. */
function headingCells(line: string): readonly string[] | undefined {
  if (line.length > HEADING_MAX_LENGTH || /[{}<>=]/.test(line)) return undefined;
  const delimiter = delimiterOf(line);
  const cells = line.split(delimiter).map((cell) => cell.trim().replace(/^\ufeff?"(.*)"$/, "$1"));
  return cells.length >= 2 && cells.every((cell) => cell.length > 0 && cell.length <= 60 && !/^\d/.test(cell))
    ? cells
    : undefined;
}

function delimiterOf(heading: string): string {
  const counts = DELIMITERS.map((delimiter) => heading.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/** Heading and row as cells. Errors: `undefined` where quotes do not match. */
function rowsOf(text: string): string[][] | undefined {
  const end = text.indexOf("\n");
  const delimiter = delimiterOf(end === -1 ? text : text.slice(0, end));
  try {
    return parse(text, {
      bom: true,
      delimiter,
      relaxColumnCount: true,
      relaxQuotes: true,
      skipEmptyLines: true,
    }) as string[][];
  } catch {
    return undefined;
  }
}
