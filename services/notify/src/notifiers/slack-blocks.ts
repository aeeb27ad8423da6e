/**
 * A page as Slack blocks. Everything an event says stands in `rich_text` or `plain_text`, which Slack shows as they are: no
 * mention, link or formatting can come of it. The fallback text is the one place where markup must be taken apart.
 *
 * Source: Slack Block Kit (50 blocks, header 150 characters); a whole message near 13,000 characters is refused
 * (`msg_blocks_too_long`, undocumented), hence the budget.
 */
import { cut, plainLine } from "@culprit/model";
import { slackText } from "../escape/slack.ts";
import { shortContent } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { fitSections, headLines, type Section, sectionsOf, titleOf } from "../sections.ts";

const HEADER_MAX = 150;
const MESSAGE_MAX = 10_000;
const FALLBACK_MAX = 1_500;

export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly unknown[];
}

/** The whole page within Slack's limits; sections that do not fit are left off from the end. */
export function slackMessage(page: PageContent, test: boolean): SlackMessage {
  const title = plainLine(titleOf(page, test));
  const text = cut(slackText(shortContent(page, FALLBACK_MAX).replaceAll("\n", " · ")), FALLBACK_MAX * 2);
  const build = (sections: readonly Section[]): SlackMessage => ({
    text,
    blocks: [
      { type: "header", text: { type: "plain_text", text: cut(title, HEADER_MAX), emoji: false } },
      richText(headLines(page).map((line) => section([run(line)]))),
      ...sections.map((each) => richText(elementsOf(each))),
      ...linkBlocks(page),
    ],
  });
  return fitSections(sectionsOf(page), build, {
    sizeMax: MESSAGE_MAX,
    sizeOf: (message) => JSON.stringify(message).length,
  });
}

function linkBlocks(page: PageContent): readonly unknown[] {
  if (page.link === undefined) return [];
  const button = { type: "button", text: { type: "plain_text", text: "Open the incident" }, url: page.link };
  return [{ type: "actions", elements: [button] }];
}

function elementsOf({ label, text, items, ordered }: Section): readonly unknown[] {
  const head = section([run(`${label}${text === "" ? "" : ": "}`, true), ...(text === "" ? [] : [run(text)])]);
  if (items.length === 0) return [head];
  const list = {
    type: "rich_text_list",
    style: ordered ? "ordered" : "bullet",
    elements: items.map((item) => section([run(item)])),
  };
  return [head, list];
}

function richText(elements: readonly unknown[]): unknown {
  return { type: "rich_text", elements };
}

function section(elements: readonly unknown[]): unknown {
  return { type: "rich_text_section", elements };
}

function run(text: string, bold = false): unknown {
  return { type: "text", text: plainLine(text), ...(bold ? { style: { bold: true } } : {}) };
}
