/** What could not be understood, the newest first: why, where, and the original as text. */
import { isoOf } from "@culprit/model";
import type { StoredLetter } from "../projection.ts";
import { html, type Markup, say } from "./html.ts";
import { renderDocument, type Viewer } from "./layout.ts";
import { instant, type Zone } from "./when.ts";

export interface DeadLettersPage {
  readonly viewer: Viewer | undefined;
  readonly letters: readonly StoredLetter[];
  readonly zone: Zone;
}

/** Characters of an original that are shown; the API has the whole. */
const ORIGINAL_SHOWN_MAX = 2_000;

export function renderDeadLetters({ letters, zone, viewer }: DeadLettersPage): string {
  const body = html`<h1 class="list-title">Dead letters</h1>
    <div class="incident">
      ${letters.length === 0 ? html`<p class="empty">Everything that came could be read.</p>` : html`${reasonCounts(letters)}${letters.map((each) => letter(each, zone))}`}
      <p class="quiet"><a href="/api/v1/dead-letters">JSON</a></p>
    </div>`;
  return renderDocument({ title: "Dead letters · Culprit", body, page: "dead-letters", viewer });
}

/** Which reasons there are, the most frequent first: a broken sender shows at once. */
function reasonCounts(letters: readonly StoredLetter[]): Markup {
  const counts = new Map<string, number>();
  for (const { reason } of letters) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return html`<section><h2>Reasons</h2><ul>${sorted.map(([reason, count]) => html`<li><code>${say(reason)}</code> ${count}</li>`)}</ul></section>`;
}

function letter(each: StoredLetter, zone: Zone): Markup {
  const source = Object.entries(each.source ?? {}).map(([name, value]) => `${name} ${value}`);
  const shown = each.original.slice(0, ORIGINAL_SHOWN_MAX);
  const cut = shown.length < each.original.length ? `, the first ${ORIGINAL_SHOWN_MAX} characters` : "";
  return html`<section>
    <p><code>${say(each.reason)}</code> ${say(each.detail)}</p>
    <p class="quiet">${instant(isoOf(each.at), zone)} · ${say(each.stage)}${source.length === 0 ? "" : ` · ${say(source.join(", "))}`}${each.offset === undefined ? "" : ` · byte ${each.offset}`}</p>
    <details>
      <summary>Original, ${each.size} bytes${each.encoding === "base64" ? ", as base64" : ""}${cut}</summary>
      <code class="command">${say(shown)}</code>
    </details>
  </section>`;
}
