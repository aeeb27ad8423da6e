/**
 * The page as a list of short sections for chat and cards, most important first, so that a medium with a size limit can
 * leave off the end: the title, when and where, and the cause stand before what fills a page up.
 */
import { cut } from "@culprit/model";
import { signed } from "./page.ts";
import { headLines, type PageCause, type PageContent } from "./page-content.ts";

export interface Section {
  /** Empty where a target's own words stand. */
  readonly label: string;
  /** A sentence after the label; may be empty. */
  readonly text: string;
  readonly items: readonly string[];
  readonly ordered: boolean;
}

/** No line of a chat message is longer: a reason is one line, not an attachment. */
const LINE_MAX = 600;

/** The sections in the order of their importance, without title, times and link. */
export function sectionsOf(page: PageContent): readonly Section[] {
  if (page.body !== undefined) return page.body.filter((text) => text !== "").map((text) => plain("", text));
  const [first] = page.causes;
  const cause = page.clear
    ? [plain("Probable cause", `${page.headline} (${first.percent} %, ${page.verdict})`)]
    : [plain("Cause not clear", page.headline)];
  const others = [
    ...page.notCauses.map((text) => plain("Not the cause", text)),
    plain(
      "Next causes",
      page.next.length === 0 ? "none" : page.next.map((each) => `${each.title} ${each.percent} %`).join(" · "),
    ),
    ...(page.seenBefore === undefined ? [] : [plain("Seen before", page.seenBefore)]),
  ];
  return [
    ...cause,
    ...(page.clear && first.summary !== "" ? [plain("What happened", first.summary)] : []),
    { label: "Do first", text: "", items: page.actions.map(line), ordered: true },
    ...page.causes.map((each) => reasonsOf(each, page.clear)),
    ...others,
  ];
}

function reasonsOf(cause: PageCause, clear: boolean): Section {
  const side = (word: string, reasons: PageCause["for"], more: number): readonly string[] => {
    if (reasons.length === 0) return [`${word}: nothing seen`];
    const lines = reasons.map((reason) => `${word} ${signed(reason.points)}: ${reason.text}`);
    return more > 0 ? [...lines, `${word}: ${more} more`] : lines;
  };
  const unknown = cause.unknown.length === 0 ? ["nothing known to be missing"] : cause.unknown;
  const items = [
    ...(clear || cause.summary === "" ? [] : [cause.summary]),
    ...(cause.named ? side("for", cause.for, cause.forMore) : []),
    ...(cause.named ? side("against", cause.against, cause.againstMore) : []),
    ...unknown.map((text) => `unknown: ${text}`),
  ];
  return {
    label: clear || !cause.named ? "Why" : `Why ${cause.title}`,
    text: "",
    items: items.map(line),
    ordered: false,
  };
}

function plain(label: string, text: string): Section {
  return { label, text: line(text), items: [], ordered: false };
}

function line(text: string): string {
  return cut(text, LINE_MAX);
}

/**
 * Builds a message from as many of the first sections as fit.
 * Units: `sizeOf` and `sizeMax` in whatever the target counts. The message without any section always fits by the caller's
 * own limits.
 */
export function fitSections<T>(
  sections: readonly Section[],
  build: (sections: readonly Section[]) => T,
  limit: { readonly sizeMax: number; readonly sizeOf: (message: T) => number },
): T {
  for (let count = sections.length; count > 0; count -= 1) {
    const message = build(sections.slice(0, count));
    if (limit.sizeOf(message) <= limit.sizeMax) return message;
  }
  return build([]);
}

/** The head as lines of at most `LINE_MAX` each. */
export function headTexts(page: PageContent): readonly string[] {
  return headLines(page).map(line);
}

/** `TEST, nothing has happened: …` before the title of a drill. */
export function titleOf(page: PageContent, test: boolean): string {
  return `${test ? "TEST, nothing has happened: " : ""}${page.label} ${page.title}`;
}
