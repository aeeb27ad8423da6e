/**
 * Microsoft Teams through a Workflows URL ("when a webhook request is received"), as an adaptive card. It can neither edit
 * nor thread, so each change is a card of its own. 202 means that the flow has begun.
 *
 * Text stands in `RichTextBlock`, which unlike `TextBlock` reads no Markdown.
 * Source: Adaptive Cards 1.4; a body above about 24 KB is refused because Teams counts what it makes of it (28,672 bytes),
 * hence the budget; old connectors answer 200 and say 429 in the text.
 */
import { cut, plainLine } from "@culprit/model";
import { secretText } from "@culprit/runtime";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { notifierKind } from "../notifier.ts";
import type { PageContent } from "../page-content.ts";
import { fitSections, headTexts, type Section, sectionsOf, titleOf } from "../sections.ts";

const CARD_MAX_BYTES = 18_000;
const TITLE_MAX = 300;
const COLORS = { critical: "attention", high: "attention", medium: "warning", low: "accent", info: "default" } as const;

export const teams = notifierKind({
  kind: "teams",
  options: z.strictObject({
    /** The whole URL is a secret. */
    url: secretText.refine((url) => URL.canParse(url.reveal()), "expected a URL"),
  }),
  open: (options, { post, now }) => ({
    async send({ page, test }, signal) {
      const body = JSON.stringify(teamsMessage(page, test));
      const answer = await post(
        { url: options.url.reveal(), headers: { "content-type": "application/json" }, body },
        signal,
      );
      if (answer.status === 200 && /\b429\b|throttl/i.test(answer.body)) {
        return { result: "later", detail: "Teams: throttled", uncertain: false };
      }
      if (answer.status === 404 || answer.status === 410)
        return { result: "auth", detail: `HTTP ${answer.status}: the flow is gone` };
      return resultOf(answer, now(), "accepted");
    },
  }),
});

/**
 * The message with its card within the size Teams takes; sections that do not fit are left off from the end.
 * @internal
 */
export function teamsMessage(page: PageContent, test: boolean): unknown {
  const build = (sections: readonly Section[]): unknown => ({
    type: "message",
    attachments: [
      { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card(page, test, sections) },
    ],
  });
  return fitSections(sectionsOf(page), build, {
    sizeMax: CARD_MAX_BYTES,
    sizeOf: (message) => Buffer.byteLength(JSON.stringify(message)),
  });
}

function card(page: PageContent, test: boolean, sections: readonly Section[]): unknown {
  const color = page.over ? "good" : COLORS[page.severity];
  return {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    msteams: { width: "Full" },
    body: [
      block([{ text: cut(titleOf(page, test), TITLE_MAX), weight: "bolder", size: "large", color }]),
      ...headTexts(page).map((text) => block([{ text, isSubtle: true }], "none")),
      ...sections.flatMap(blocksOf),
    ],
    actions: [
      ...(page.link === undefined ? [] : [openUrl("Open the incident", page.link)]),
      ...page.replies.flatMap(({ label, url }) => (url === undefined ? [] : [openUrl(label, url)])),
    ],
  };
}

function openUrl(title: string, url: string): unknown {
  return { type: "Action.OpenUrl", title, url };
}

function blocksOf({ label, text, items, ordered }: Section): readonly unknown[] {
  const head = block([
    ...(label === "" ? [] : [{ text: text === "" ? label : `${label}: `, weight: "bolder" }]),
    ...(text === "" ? [] : [{ text }]),
  ]);
  return [
    head,
    ...items.map((item, index) => block([{ text: `${ordered ? `${index + 1}.` : "•"} ${item}` }], "small")),
  ];
}

interface Run {
  readonly text: string;
  readonly weight?: string;
  readonly size?: string;
  readonly color?: string;
  readonly isSubtle?: boolean;
}

function block(runs: readonly Run[], spacing = "default"): unknown {
  return {
    type: "RichTextBlock",
    spacing,
    inlines: runs.map((run) => ({ type: "TextRun", ...run, text: plainLine(run.text) })),
  };
}
