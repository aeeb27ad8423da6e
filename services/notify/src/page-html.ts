/**
 * The page as HTML for mail: one self-contained document with inline styles, no script, no remote picture, readable in the
 * dark. Event text is escaped where it is put in.
 */
import type { Incident, Severity } from "@culprit/model";
import { htmlText } from "./escape/html.ts";
import { signed } from "./page.ts";
import {
  composePage,
  headLines,
  type PageCause,
  type PageContent,
  type PageOptions,
  type PageReason,
} from "./page-content.ts";

const COLORS: Readonly<Record<Severity, string>> = {
  critical: "#b3142a",
  high: "#b3470f",
  medium: "#8a6100",
  low: "#1f6391",
  info: "#4b5563",
};
const OVER_COLOR = "#1c7a43";
const FONT = "font:15px/1.5 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";
/** Fainter in any scheme, where a colour would suit one only. */
const MUTED = "opacity:.75";

/**
 * The whole page as an HTML document.
 * Errors: `notify.unknown-zone`.
 * Source: README.md, "The page"; RELIABILITY B47.
 */
export function renderHtml(incident: Incident, options: PageOptions): string {
  return htmlContent(composePage(incident, options));
}

/** As `renderHtml`, from content that is already composed. */
export function htmlContent(page: PageContent): string {
  const color = page.over ? OVER_COLOR : COLORS[page.severity];
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">`,
    `<meta name="viewport" content="width=device-width"><title>${htmlText(page.title)}</title></head>`,
    `<body style="margin:0;padding:16px;${FONT}"><div style="max-width:640px;margin:0 auto">`,
    `<p style="margin:0 0 8px"><span style="background:${color};color:#fff;font-weight:700;padding:2px 8px;border-radius:4px">${page.label}</span></p>`,
    `<h1 style="font-size:20px;line-height:1.3;margin:0 0 8px">${htmlText(page.title)}</h1>`,
    ...headLines(page).map((line) => `<p style="margin:0;${MUTED}">${htmlText(line)}</p>`),
    ...(page.body === undefined ? ownParts(page) : [page.body.map(paragraph).join("\n")]),
    page.link === undefined ? "" : link("Open the incident", page.link, color),
    ...page.replies.map(({ label, url }) => (url === undefined ? "" : link(label, url, "#4b5563"))),
    "</div></body></html>",
  ].join("\n");
}

/** One line of a target's own words; an empty one keeps its height. */
function paragraph(line: string): string {
  return `<p style="margin:0;min-height:1.5em">${htmlText(line)}</p>`;
}

function ownParts(page: PageContent): readonly string[] {
  const notCauses = page.notCauses.map((text) => `<p style="margin:0 0 6px">${htmlText(text)}</p>`);
  const actions = page.actions.map((action) => `<li style="margin:0 0 6px">${htmlText(action)}</li>`);
  return [
    ...causeParts(page),
    notCauses.length === 0 ? "" : section("Not the cause", notCauses.join("")),
    section("Do first", `<ol style="margin:0;padding-left:22px">${actions.join("")}</ol>`),
    page.seenBefore === undefined ? "" : section("Seen before", `<p style="margin:0">${htmlText(page.seenBefore)}</p>`),
  ];
}

function causeParts(page: PageContent): readonly string[] {
  const bold = (text: string): string => `<p style="margin:0 0 6px;font-weight:700">${htmlText(text)}</p>`;
  const next = page.next.map(({ title, percent }) => `${title} ${percent} %`).join(" · ");
  const unclear = (cause: PageCause): string =>
    `${cause.named ? bold(`${cause.title} (${cause.percent} %)`) : ""}${summaryOf(cause)}${reasonTable(cause)}`;
  const argued = page.clear
    ? section(
        "Probable cause",
        `${bold(`${page.headline} (${page.causes[0].percent} %, ${page.verdict})`)}${summaryOf(page.causes[0])}${reasonTable(page.causes[0])}`,
      )
    : section(
        "Cause not clear",
        `<p style="margin:0 0 6px">${htmlText(page.headline)}</p>${page.causes.map(unclear).join("")}`,
      );
  return [argued, section("Next causes", `<p style="margin:0">${htmlText(next === "" ? "none" : next)}</p>`)];
}

function summaryOf({ summary }: PageCause): string {
  return summary === "" ? "" : `<p style="margin:0 0 6px">${htmlText(summary)}</p>`;
}

function reasonTable(cause: PageCause): string {
  const unknown = cause.unknown.length === 0 ? ["nothing known to be missing"] : cause.unknown;
  const rows = [
    ...(cause.named ? sideRows("for", cause.for, cause.forMore) : []),
    ...(cause.named ? sideRows("against", cause.against, cause.againstMore) : []),
    ...unknown.map((text, index) => row(index === 0 ? "unknown" : "", "", text)),
    ...(cause.unknownMore > 0 ? [row("", "", `and ${cause.unknownMore} more`)] : []),
  ];
  return `<table role="presentation" style="border-collapse:collapse;margin:0 0 8px;${FONT}">${rows.join("")}</table>`;
}

function sideRows(label: string, reasons: readonly PageReason[], more: number): readonly string[] {
  if (reasons.length === 0) return [row(label, "0", "nothing seen")];
  return reasons.map((reason, index) => {
    const rest = more > 0 && index === reasons.length - 1 ? ` (and ${more} more)` : "";
    return row(index === 0 ? label : "", signed(reason.points), `${reason.text}${rest}`);
  });
}

function row(label: string, points: string, text: string): string {
  const cell = "padding:2px 10px 2px 0;vertical-align:top";
  return `<tr><td style="${cell};${MUTED}">${label}</td><td style="${cell};text-align:right;font-weight:700">${points}</td><td style="${cell}">${htmlText(text)}</td></tr>`;
}

function section(title: string, body: string): string {
  return `<h2 style="font-size:13px;text-transform:uppercase;letter-spacing:.06em;margin:20px 0 6px;${MUTED}">${title}</h2>${body}`;
}

function link(text: string, address: string, color: string): string {
  const href = htmlText(encodeURI(address));
  return `<p style="margin:16px 0 0"><a href="${href}" style="background:${color};color:#fff;text-decoration:none;padding:10px 16px;border-radius:6px;display:inline-block">${text}</a></p>`;
}
