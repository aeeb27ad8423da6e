/**
 * The page as text: for the terminal, a plain mail, a pager's details. In: an incident; out: lines without a trailing
 * newline, every piece of event text escaped, so that nothing in it can move a cursor or start a line of its own.
 */
import type { Incident, Severity } from "@culprit/model";
import { cut, plainLine } from "@culprit/model";
import {
  composePage,
  headLines,
  type PageCause,
  type PageContent,
  type PageOptions,
  type PageReason,
} from "./page-content.ts";

export interface RenderOptions extends PageOptions {
  /** Characters per line; lines that hold a command are never wrapped, so that it can be copied whole. */
  readonly width?: number;
  /** ANSI colours, for a terminal that wants them. */
  readonly color?: boolean;
}

const WIDTH_DEFAULT = 110;
const WIDTH_MIN = 40;
/** Below this the labels stand on lines of their own. */
const WIDTH_NARROW = 72;
const LABEL_WIDTH = 17;
const SHORT_MAX = 480;

const RESET = "\u001b[0m";
const BOLD = "\u001b[1m";
const DIM = "\u001b[2m";
const GREEN = "\u001b[32m";
const SEVERITY_COLORS: Readonly<Record<Severity, string>> = {
  critical: "\u001b[1;97;41m",
  high: "\u001b[1;31m",
  medium: "\u001b[1;33m",
  low: "\u001b[1;36m",
  info: "\u001b[1m",
};

/**
 * The whole page, readable at night by someone who did not build the system.
 *
 * Shape: what and when; probable cause with reasons for, against and unknown (always printed); next causes; what is not
 * the cause; what to do first; whether it was seen before; link.
 * Errors: `notify.unknown-zone`.
 * Source: README.md, "The page".
 */
export function renderPage(incident: Incident, options: RenderOptions): string {
  return renderContent(composePage(incident, options), options);
}

/** As `renderPage`, from content that is already composed. */
export function renderContent(page: PageContent, options: Pick<RenderOptions, "width" | "color">): string {
  const width = Math.max(WIDTH_MIN, options.width ?? WIDTH_DEFAULT);
  const paper = new Paper(width, options.color ?? false);
  head(paper, page);
  if (page.body === undefined) ownWords(paper, page);
  else for (const line of page.body) paper.wrapped(0, line);
  if (page.link !== undefined) paper.command("MORE", plainLine(page.link));
  return paper.text();
}

function ownWords(paper: Paper, page: PageContent): void {
  cause(paper, page);
  if (page.notCauses.length > 0) paper.blank();
  for (const text of page.notCauses) paper.entry("NOT THE CAUSE", text);
  paper.blank();
  page.actions.forEach((action, index) => {
    paper.command(index === 0 ? "DO FIRST" : "", `${index + 1}  ${plainLine(action)}`);
  });
  if (page.seenBefore !== undefined) paper.entry("SEEN BEFORE", page.seenBefore);
}

/**
 * The page for SMS and push: what happened, the cause line, the first action; what does not fit is left off from the
 * bottom.
 * Units: at most `lengthMax` UTF-16 code units, 480 (three SMS) unless told.
 */
export function renderShort(incident: Incident, options: PageOptions & { readonly lengthMax?: number }): string {
  const page = composePage(incident, options);
  return shortContent(page, options.lengthMax ?? SHORT_MAX);
}

/** As `renderShort`, from content that is already composed. */
export function shortContent(page: PageContent, lengthMax: number): string {
  const lines = [`${page.label} ${page.title}`, ...shortLines(page)].map(plainLine);
  let text = cut(lines[0] ?? "", lengthMax);
  for (const line of lines.slice(1)) {
    if (text.length + 1 + line.length > lengthMax) break;
    text += `\n${line}`;
  }
  return text;
}

/** What follows the title where there is room for little: the cause and the first step, or a target's own words. */
export function shortLines(page: PageContent): readonly string[] {
  const own = page.body?.filter((line) => line !== "");
  return own ?? [causeLine(page), `Do first: ${page.actions[0] ?? ""}`];
}

/** The cause in one line: `Cause: … 75 % likely`, or why there is none to name. */
export function causeLine(page: PageContent): string {
  if (!page.clear) return `Cause not clear: ${page.headline}`;
  return `Cause: ${page.headline} ${page.causes[0].percent} % ${page.verdict}`;
}

function head(paper: Paper, page: PageContent): void {
  const label = page.label.padEnd(8);
  const indent = label.length + 2;
  paper.title(label, page.title, page.over ? GREEN : SEVERITY_COLORS[page.severity]);
  for (const line of headLines(page)) paper.wrapped(indent, line);
  paper.blank();
}

function cause(paper: Paper, page: PageContent): void {
  if (page.clear) {
    const [first] = page.causes;
    paper.headline("PROBABLE CAUSE", first.title, `${first.percent} %  ${page.verdict}`);
    if (first.summary !== "") paper.entry("", first.summary);
    reasons(paper, first);
  } else {
    paper.entry("CAUSE NOT CLEAR", page.headline, BOLD);
    page.causes.forEach((each, index) => {
      const label = page.causes.length === 1 ? "BEST GUESS" : index === 0 ? "EITHER" : "OR";
      if (each.named) paper.headline(label, each.title, `${each.percent} %`);
      if (each.summary !== "") paper.entry("", each.summary);
      reasons(paper, each);
    });
  }
  const next = page.next.map(({ title, percent }) => `${title} ${percent} %`).join(" · ");
  paper.entry("NEXT CAUSES", next === "" ? "none" : next);
}

function reasons(paper: Paper, argued: PageCause): void {
  // For "not known" there is nothing to argue, only what to find out.
  if (argued.named) {
    side(paper, "for", argued.for, argued.forMore);
    side(paper, "against", argued.against, argued.againstMore);
  }
  const unknown = argued.unknown.length === 0 ? ["nothing known to be missing"] : argued.unknown;
  unknown.forEach((text, index) => {
    paper.reason(
      index === 0 ? "unknown" : "",
      "",
      withMore(text, index === unknown.length - 1 ? argued.unknownMore : 0),
    );
  });
}

function side(paper: Paper, label: string, list: readonly PageReason[], more: number): void {
  if (list.length === 0) {
    paper.reason(label, "0", "nothing seen");
    return;
  }
  list.forEach((reason, index) => {
    const text = withMore(reason.text, index === list.length - 1 ? more : 0);
    paper.reason(index === 0 ? label : "", signed(reason.points), text);
  });
}

function withMore(text: string, more: number): string {
  return more > 0 ? `${text} (and ${more} more)` : text;
}

/** `+20`, `-10`, `+7.5`. */
export function signed(points: number): string {
  const rounded = Math.round(points * 10) / 10;
  return rounded > 0 ? `+${rounded}` : String(rounded);
}

/** Lines of one page in the making: two columns, or one below the other where the page is narrow. */
class Paper {
  readonly #lines: string[] = [];
  readonly #width: number;
  readonly #color: boolean;
  readonly #indent: number;

  constructor(width: number, color: boolean) {
    this.#width = width;
    this.#color = color;
    this.#indent = width < WIDTH_NARROW ? 2 : LABEL_WIDTH;
  }

  title(label: string, title: string, color: string): void {
    const lines = wrap(plainLine(title), this.#width - label.length - 2);
    lines.forEach((line, index) => {
      const before =
        index === 0
          ? `${this.#paint(label.trimEnd(), color)}${" ".repeat(label.length - label.trimEnd().length)}`
          : " ".repeat(label.length);
      this.#lines.push(`${before}  ${this.#paint(line, BOLD)}`);
    });
  }

  wrapped(indent: number, text: string): void {
    const room = this.#width < WIDTH_NARROW ? 2 : indent;
    for (const line of wrap(plainLine(text), this.#width - room)) this.#lines.push(" ".repeat(room) + line);
  }

  /** A label and its text. */
  entry(label: string, text: string, color = ""): void {
    this.#label(label, wrap(plainLine(text), this.#width - this.#indent), color);
  }

  /** A label and one line that is never wrapped: a terminal wraps it, and it can still be copied whole. */
  command(label: string, line: string): void {
    this.#label(label, [line], "");
  }

  /** The cause with its share at the right edge. */
  headline(label: string, text: string, share: string): void {
    const lines = wrap(plainLine(text), this.#width - this.#indent - share.length - 2);
    const [first = "", ...rest] = lines;
    const gap = Math.max(2, this.#width - this.#indent - first.length - share.length);
    this.#label(label, [`${this.#paint(first, BOLD)}${" ".repeat(gap)}${this.#paint(share, BOLD)}`, ...rest], "");
  }

  /** `  for      +20  text` with the text's further lines under its beginning. */
  reason(label: string, points: string, text: string): void {
    const narrow = this.#indent !== LABEL_WIDTH;
    const left = narrow
      ? `    ${label.padEnd(7)} ${points.padStart(3)} `
      : `  ${label.padEnd(8)} ${points.padStart(4)}  `;
    const lines = wrap(plainLine(text), this.#width - left.length);
    lines.forEach((line, index) => {
      this.#lines.push(index === 0 ? `${this.#paint(left, DIM)}${line}` : `${" ".repeat(left.length)}${line}`);
    });
  }

  blank(): void {
    if (this.#lines.at(-1) !== "") this.#lines.push("");
  }

  text(): string {
    return this.#lines.map((line) => line.trimEnd()).join("\n");
  }

  #label(label: string, lines: readonly string[], color: string): void {
    const narrow = this.#indent !== LABEL_WIDTH;
    if (narrow && label !== "") this.#lines.push(this.#paint(label, BOLD));
    lines.forEach((line, index) => {
      const before = !narrow && index === 0 ? this.#paint(label.padEnd(this.#indent), BOLD) : " ".repeat(this.#indent);
      this.#lines.push(`${before}${this.#paint(line, color)}`);
    });
  }

  #paint(text: string, color: string): string {
    return this.#color && color !== "" && text.trim() !== "" ? `${color}${text}${RESET}` : text;
  }
}

/** Breaks a line at spaces; a word longer than the line stays whole. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
