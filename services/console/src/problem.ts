/** What is answered when something is wrong: JSON with a code of the catalogue, or a plain page for browsers. */
import { html } from "./pages/html.ts";
import { renderDocument } from "./pages/layout.ts";

export type ProblemCode =
  | "console.bad-request"
  | "console.forbidden-host"
  | "console.forbidden-origin"
  | "console.bad-form-token"
  | "console.login-needed"
  | "console.too-many-tries"
  | "console.not-found"
  | "console.too-many-silences"
  | "console.too-many-streams"
  | "console.unavailable";

const TEXTS: Readonly<Record<ProblemCode, readonly [status: number, text: string]>> = {
  "console.bad-request": [400, "The request could not be understood."],
  "console.forbidden-host": [403, "This host name is not one of the console's own; add it under console.hostNames."],
  "console.forbidden-origin": [403, "Changes must come from the console's own pages."],
  "console.bad-form-token": [403, "This form is too old. Go back, reload the page and try again."],
  "console.login-needed": [401, "Log in first, or give a token that is known."],
  "console.too-many-tries": [429, "Too many wrong tries; wait a minute."],
  "console.not-found": [404, "There is nothing here."],
  "console.too-many-silences": [409, "Too many silences stand already."],
  "console.too-many-streams": [503, "Too many streams are open."],
  "console.unavailable": [503, "The log cannot take this now; try again."],
};

export function statusOf(code: ProblemCode): number {
  return TEXTS[code][0];
}

export function problemJson(code: ProblemCode, detail?: string): Readonly<Record<string, unknown>> {
  return { error: { code, message: detail ?? TEXTS[code][1] } };
}

export function problemPage(code: ProblemCode): string {
  const [status, text] = TEXTS[code];
  const body = html`<h1>${status}</h1><p>${text}</p><p><a href="/">All incidents</a></p>`;
  return renderDocument({ title: `${status} · Culprit`, body, page: "problem" });
}
