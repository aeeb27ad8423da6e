/** What every page has around it. */
import { renderToString } from "preact-render-to-string";
import { html, type Markup, say } from "./html.ts";

/** Who has logged in, and what the form to log out needs. */
export interface Viewer {
  readonly name: string;
  readonly formToken: string;
}

export interface Layout {
  readonly title: string;
  readonly body: Markup;
  /** What the script looks at: `list` and `incident` pages refresh when something changes. */
  readonly page: string;
  readonly viewer?: Viewer | undefined;
}

const PLACES: readonly (readonly [page: string, path: string, text: string])[] = [
  ["list", "/", "Incidents"],
  ["silences", "/silences", "Silences"],
  ["sources", "/sources", "Sources"],
  ["dead-letters", "/dead-letters", "Dead letters"],
];

/** Nobody has come in yet: there is nowhere to go. */
const LOGIN = "login";

/** A whole document. No inline script or style: the content policy forbids both. */
export function renderDocument({ title, body, page, viewer }: Layout): string {
  const tree = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title}</title>
      <link rel="icon" href="/assets/icon.svg" />
      ${["base", "incident", "timeline"].map((name) => html`<link rel="stylesheet" href=${`/assets/${name}.css`} />`)}
      <script src="/assets/console.js" defer></script>
    </head>
    <body data-page=${page}>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <a class="brand" href="/">Culprit</a>
        ${page === LOGIN ? "" : places(page)}
        <span class="live" id="live" role="status" aria-live="polite"></span>
        ${viewer === undefined ? "" : logout(viewer)}
      </header>
      <main id="main">${body}</main>
    </body>
  </html>`;
  return `<!doctype html>${renderToString(tree)}`;
}

function places(page: string): Markup {
  const links = PLACES.map(
    ([name, path, text]) => html`<a href=${path} aria-current=${name === page ? "page" : undefined}>${text}</a>`,
  );
  return html`<nav class="tabs" aria-label="Pages">${links}</nav>`;
}

function logout({ name, formToken }: Viewer): Markup {
  return html`<form class="viewer" method="post" action="/logout">
    <input type="hidden" name="token" value=${formToken} />
    <span class="quiet">${say(name)}</span> <button class="plain">Log out</button>
  </form>`;
}
