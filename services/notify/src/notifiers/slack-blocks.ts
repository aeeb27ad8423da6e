/**
 * A page as Slack blocks. Everything an event says stands in `rich_text` or `plain_text`, which Slack shows as they are: no
 * mention, link or formatting can come of it. The fallback text is the one place where markup must be taken apart.
 *
 * Source: Slack Block Kit (50 blocks, header 150 characters); a whole message near 13,000 characters is refused
 * (`msg_blocks_too_long`, undocumented), hence the budget.
 */
import { cut, plainLine } from "@culprit/model";
import { slackActionId } from "../callbacks/slack.ts";
import { slackText } from "../escape/slack.ts";
import { shortContent } from "../page.ts";
import type { PageContent } from "../page-content.ts";
import { fitSections, headTexts, type Section, sectionsOf, titleOf } from "../sections.ts";

const HEADER_MAX = 150;
const MESSAGE_MAX = 10_000;
const FALLBACK_MAX = 1_500;

export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly unknown[];
}

/** The whole page within Slack's limits; sections that do not fit are left off from the end. */
export function slackMessage(page: PageContent, test: boolean, isInteractive = false): SlackMessage {
  const title = plainLine(titleOf(page, test));
  const text = cut(slackText(shortContent(page, FALLBACK_MAX).replaceAll("\n", " · ")), FALLBACK_MAX * 2);
  const build = (sections: readonly Section[]): SlackMessage => ({
    text,
    blocks: [
      { type: "header", text: { type: "plain_text", text: cut(title, HEADER_MAX), emoji: false } },
      richText(headTexts(page).map((line) => section([run(line)]))),
      ...sections.map((each) => richText(elementsOf(each))),
      ...buttonBlocks(page, isInteractive),
    ],
  });
  return fitSections(sectionsOf(page), build, {
    sizeMax: MESSAGE_MAX,
    sizeOf: (message) => JSON.stringify(message).length,
  });
}

/** One line, as text that Slack reads no markup or link in. */
export function slackLine(text: string): SlackMessage {
  const line = cut(plainLine(text), FALLBACK_MAX);
  return { text: slackText(line), blocks: [richText([section([run(line)])])] };
}

/** Buttons that come back to us where the app is set up for it; else they are links. */
function buttonBlocks({ link, replies }: PageContent, isInteractive: boolean): readonly unknown[] {
  const open = link === undefined ? [] : [button("Open the incident", { url: link })];
  const answers = replies.flatMap(({ reply, incident, label, url }) => {
    if (isInteractive) return [button(label, { action_id: slackActionId(reply), value: incident })];
    return url === undefined ? [] : [button(label, { url })];
  });
  const elements = [...open, ...answers];
  return elements.length === 0 ? [] : [{ type: "actions", elements }];
}

function button(text: string, does: Readonly<Record<string, string>>): unknown {
  return { type: "button", text: { type: "plain_text", text }, ...does };
}

function elementsOf({ label, text, items, ordered }: Section): readonly unknown[] {
  const name = label === "" ? [] : [run(`${label}${text === "" ? "" : ": "}`, true)];
  const head = section([...name, ...(text === "" ? [] : [run(text)])]);
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
