/** What a target's page of an incident would say, with the target's own words: nothing is sent. Pure. */
import { type EpochMs, type Incident, isoOf } from "@culprit/model";
import { type NotifyConfig, zoneOf } from "./config.ts";
import { renderContent, shortContent } from "./page.ts";
import { composePage, type PageContent } from "./page-content.ts";
import { htmlContent } from "./page-html.ts";
import { markdownContent } from "./page-markdown.ts";
import { templatesOf } from "./template.ts";

const SHORT_MAX = 480;

/** How a page looks: for a terminal or plain mail, for a phone, for tickets and chats, for mail. */
export type PreviewFormat = "text" | "short" | "markdown" | "html";

const RENDERERS: Readonly<Record<PreviewFormat, (page: PageContent) => string>> = {
  text: (page) => renderContent(page, {}),
  short: (page) => shortContent(page, SHORT_MAX),
  markdown: (page) => markdownContent(page),
  html: htmlContent,
};

export interface PreviewOptions {
  readonly config: NotifyConfig;
  /** A target's name; without one the page has the usual words. */
  readonly target?: string;
  readonly format: PreviewFormat;
  readonly now: EpochMs;
}

/** Renders the page. Errors: `notify.no-cause`, `notify.unknown-zone`. */
export function previewPage(incident: Incident, { config, target, format, now }: PreviewOptions): string {
  const { consoleUrl } = config;
  const timeZone = target === undefined ? config.timeZone : zoneOf(config, target);
  const page = composePage(incident, {
    timeZone,
    now: isoOf(now),
    ...(consoleUrl === undefined ? {} : { consoleUrl }),
  });
  const words = target === undefined ? undefined : templatesOf(config).get(target);
  return RENDERERS[format](words?.(page, incident) ?? page);
}
