/**
 * Tables for spreadsheets. A spreadsheet takes a cell that begins with certain signs for a formula and runs it, so such a
 * cell gets an apostrophe before it, which spreadsheets read as "this is text". Every cell is quoted.
 * Source: RFC 4180; RELIABILITY B49; OWASP "CSV injection".
 */

/** Signs that begin a formula, also full-width, after any white space or control character. */
const FORMULA = /^[\s\p{Cc}\p{Cf}]*[=+\-@|%＝＋－＠]/u;
const STARTS_ODD = /^[\t\r\n]/;

/**
 * One cell: quoted, and text whatever it begins with.
 * @internal
 */
export function csvCell(text: string): string {
  const safe = FORMULA.test(text) || STARTS_ODD.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** Lines of a table, each ended by CR LF. */
export function csvText(rows: Iterable<readonly string[]>): string {
  let text = "";
  for (const row of rows) text += `${row.map(csvCell).join(",")}\r\n`;
  return text;
}
