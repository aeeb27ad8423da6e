/** The page as Markdown: for tickets, chats that read it, and `analyze --md`. Event text is escaped word by word. */
import type { Incident } from "@culprit/model";
import { maskSecrets } from "@culprit/model";
import { markdownCode, markdownText } from "./escape/markdown.ts";
import { signed } from "./page.ts";
import {
  composePage,
  headLines,
  type PageCause,
  type PageContent,
  type PageOptions,
  type PageReason,
} from "./page-content.ts";
import { clockText, zoneName } from "./time-text.ts";

export interface MarkdownOptions extends PageOptions {
  /** Entries of the timeline to print; none unless told. */
  readonly timelineMax?: number;
}

/**
 * The whole page as CommonMark with GFM's table for the timeline.
 * Errors: `notify.unknown-zone`.
 * Source: README.md, "The page"; RELIABILITY B46, B51 (event text is quoted, apart from our own words).
 */
export function renderMarkdown(incident: Incident, options: MarkdownOptions): string {
  return markdownContent(composePage(incident, options), timeline(incident, options));
}

/** As `renderMarkdown`, from content that is already composed; `more` stands before the link and is Markdown. */
export function markdownContent(page: PageContent, more = ""): string {
  const blocks = [
    `## ${page.label}: ${markdownText(page.title)}`,
    headLines(page).map(markdownText).join("  \n"),
    ...(page.body === undefined ? ownBlocks(page) : [page.body.map(markdownText).join("  \n")]),
    more,
    page.link === undefined ? "" : `More: <${encodeURI(page.link)}>`,
  ];
  return blocks.filter((block) => block !== "").join("\n\n");
}

function ownBlocks(page: PageContent): readonly string[] {
  return [
    ...causeBlocks(page),
    ...page.notCauses.map((text) => `**Not the cause:** ${markdownText(text)}`),
    ["**Do first**", ...page.actions.map((action, index) => `${index + 1}. ${markdownText(action)}`)].join("\n"),
    page.seenBefore === undefined ? "" : `**Seen before:** ${markdownText(page.seenBefore)}`,
  ];
}

function causeBlocks(page: PageContent): readonly string[] {
  const next = page.next.map(({ title, percent }) => `${markdownText(title)} ${percent} %`).join(" · ");
  const head = page.clear
    ? [`**Probable cause: ${markdownText(page.headline)}**: ${page.causes[0].percent} %, ${page.verdict}`]
    : [`**Cause not clear:** ${markdownText(page.headline)}`];
  const argued = page.causes.map((cause) => {
    const name = page.clear || !cause.named ? "" : `${markdownText(cause.title)}, ${cause.percent} %:`;
    return [name, markdownText(cause.summary), reasonLines(cause)].filter((part) => part !== "").join("\n\n");
  });
  return [...head, ...argued, `**Next causes:** ${next === "" ? "none" : next}`];
}

function reasonLines(cause: PageCause): string {
  const unknown = cause.unknown.length === 0 ? ["nothing known to be missing"] : cause.unknown;
  return [
    ...(cause.named ? sideLines("for", cause.for, cause.forMore) : []),
    ...(cause.named ? sideLines("against", cause.against, cause.againstMore) : []),
    ...unknown.map((text) => `- unknown: ${markdownText(text)}`),
    ...(cause.unknownMore > 0 ? [`- unknown: and ${cause.unknownMore} more`] : []),
  ].join("\n");
}

function sideLines(label: string, reasons: readonly PageReason[], more: number): readonly string[] {
  if (reasons.length === 0) return [`- ${label}: nothing seen`];
  const lines = reasons.map((reason) => `- ${label} (${signed(reason.points)}): ${markdownText(reason.text)}`);
  return more > 0 ? [...lines, `- ${label}: and ${more} more`] : lines;
}

function timeline(incident: Incident, options: MarkdownOptions): string {
  const shown = incident.timeline.slice(0, options.timelineMax ?? 0);
  if (shown.length === 0) return "";
  const rows = shown.map((entry) => {
    const event = markdownText(`${entry.provider} ${entry.eventId}`);
    // A pipe ends a table cell even inside code.
    const quoted = markdownCode(maskSecrets(entry.summary)).replaceAll("|", "\\|");
    return `| ${clockText(entry.at, options.timeZone)} | ${markdownText(entry.host)} | ${event} | ${quoted} |`;
  });
  const left = incident.timeline.length - shown.length;
  const rest = left > 0 ? [`\n… and ${left} more`] : [];
  return [
    `| ${zoneName(options.timeZone)} | host | event | as logged |`,
    "| --- | --- | --- | --- |",
    ...rows,
    ...rest,
  ].join("\n");
}
