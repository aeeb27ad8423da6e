/**
 * Event text for Slack. Slack reads markup only in `mrkdwn`: our blocks are `rich_text` and `plain_text`, which it shows as
 * they are; the fallback text that notifications show is the one place where `<!channel>` and links must be taken apart.
 */
import { plainLine } from "@culprit/model";

/** Source: Slack "Formatting text for app surfaces", escaping; RELIABILITY B46. */
export function slackText(text: string): string {
  return plainLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("@", "＠");
}
