/**
 * The pages behind signed links: what it is about and one button, so that whoever fetches links before people read them
 * (mail scanners, chat previews) does nothing. No script, no cookie, nothing from elsewhere.
 */
import { hash } from "node:crypto";
import { type Incident, maskSecrets, plainLine } from "@culprit/model";
import type { Outcome } from "../callbacks/asked.ts";
import { htmlText } from "../escape/html.ts";
import type { Reply } from "../reply.ts";
import { instantText } from "../time-text.ts";

const STYLE = [
  ":root{color-scheme:light dark}",
  "body{font:17px/1.5 system-ui,sans-serif;margin:0;padding:24px}",
  "main{max-width:560px;margin:0 auto}",
  "h1{font-size:22px;line-height:1.3;margin:0 0 8px;overflow-wrap:anywhere}",
  "p{margin:0 0 16px}",
  ".muted{opacity:.75}",
  "label{display:block;margin:0 0 16px}",
  "input{display:block;box-sizing:border-box;width:100%;font:inherit;padding:10px;margin-top:4px}",
  "button{font:inherit;font-weight:700;padding:14px 20px;width:100%;border:0;border-radius:8px;background:#1f6391;color:#fff}",
].join("");

/** Sent with every page: only its own style, forms to itself, no frame, no trace of the link elsewhere. */
export const LINK_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${hash("sha256", STYLE, "base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex, nofollow",
};

const QUESTIONS: Readonly<Record<Reply, string>> = {
  acknowledge: "Acknowledge: you are on it, nobody else is called",
  resolve: "Resolve: it is over",
  silence: "Silence: no page of this kind for these machines for 2 hours",
};
const DONE: Readonly<Record<Reply, string>> = {
  acknowledge: "Acknowledged.",
  resolve: "Resolved.",
  silence: "Silenced for 2 hours.",
};
const FAILED: Readonly<Record<Exclude<Outcome, "done">, string>> = {
  repeated: "This link has done its work already.",
  over: "This incident is over already; there is nothing to do.",
  "unknown-incident": "This incident is not known any more.",
  unfit: "This cannot be done by a link: open the incident in the console.",
};

/** The question before anything happens. */
export function confirmPage(incident: Incident, reply: Reply, timeZone: string): string {
  return page(
    incident.title,
    `<p class="muted">${htmlText(`${incident.severity}, ${incident.status}, since ${instantText(incident.startedAt, timeZone)}`)}</p>
<form method="post">
<label>Your name <input name="who" maxlength="100" autocomplete="name"></label>
<label>Note <input name="note" maxlength="1000"></label>
<button>${QUESTIONS[reply]}</button>
</form>`,
  );
}

/** What became of it. */
export function outcomePage(reply: Reply, outcome: Outcome): string {
  return page(outcome === "done" ? DONE[reply] : FAILED[outcome], "<p>You can close this page.</p>");
}

export function badLinkPage(reason: "link.bad" | "link.expired"): string {
  return reason === "link.expired"
    ? page("This link has run out", "<p>Open the incident in the console, or take the link of a newer page.</p>")
    : page("This is no link of ours", "<p>Perhaps a part of it is missing. Copy the whole link.</p>");
}

function page(title: string, body: string): string {
  const heading = htmlText(plainLine(maskSecrets(title)));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${heading}</title><style>${STYLE}</style></head><body><main><h1>${heading}</h1>${body}</main></body></html>`;
}
