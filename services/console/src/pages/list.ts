/** The list of incidents: what is going on now, gravest first. */
import { agoText, type Incident, type IncidentStatus, shortName } from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import { renderDocument, type Viewer } from "./layout.ts";
import { causeTitle, isClear, isOver, percent, severityBadge, silencedBadge, statusBadge } from "./parts.ts";
import type { Zone } from "./when.ts";

export const VIEWS = ["active", "ended", "all"] as const;
export type View = (typeof VIEWS)[number];

export interface ListPage {
  readonly viewer: Viewer | undefined;
  readonly incidents: readonly Incident[];
  /** Those of them that a silence keeps quiet. */
  readonly silenced: ReadonlySet<string>;
  readonly total: number;
  readonly counts: Readonly<Record<IncidentStatus, number>>;
  readonly view: View;
  readonly text: string;
  readonly zone: Zone;
  readonly now: number;
}

export function renderList(page: ListPage): string {
  const { counts } = page;
  const active = counts.open + counts.acknowledged;
  const numbers: Readonly<Record<View, number>> = {
    active,
    ended: counts.resolved + counts.closed,
    all: active + counts.resolved + counts.closed,
  };
  const tabs = VIEWS.map(
    (view) => html`<a href=${`/?view=${view}`} aria-current=${view === page.view ? "page" : undefined}>
      ${view} <span class="count">${numbers[view]}</span>
    </a>`,
  );
  const body = html`<h1 class="list-title">Incidents</h1>
    <div class="controls">
      <nav class="tabs" aria-label="Which incidents">${tabs}</nav>
      <form class="search" action="/" method="get" role="search">
        <input type="hidden" name="view" value=${page.view} />
        <input type="search" name="q" value=${page.text} placeholder="host, cluster, words" aria-label="Search" maxlength="200" />
      </form>
    </div>
    ${page.incidents.length === 0 ? nothing(page) : html`<ol class="incidents">${page.incidents.map((each) => row(each, page))}</ol>`}
    <p class="quiet"><a href="/api/v1/incidents.csv">CSV</a> · <a href="/api/v1/incidents">JSON</a></p>
    ${page.total > page.incidents.length ? html`<p class="quiet">${page.incidents.length} of ${page.total} shown; search to narrow them down.</p>` : ""}`;
  return renderDocument({ title: `${active} active · Culprit`, body, page: "list", viewer: page.viewer });
}

function nothing(page: ListPage): Markup {
  const text = page.text === "" ? "Nothing here: no incident is in this view." : "Nothing matches the search.";
  return html`<p class="empty">${text}</p>`;
}

function row(incident: Incident, page: ListPage): Markup {
  const [top] = incident.causes;
  const cause =
    top !== undefined && isClear(incident)
      ? html`${causeTitle(top)} <span class="share">${percent(top.share)}</span>`
      : html`<em>cause not clear</em>`;
  const started = Date.parse(incident.startedAt);
  const where = incident.scope
    .slice(0, 3)
    .map(({ kind, id }) => say(kind === "host" ? shortName(id).toUpperCase() : id));
  const more = incident.scope.length > 3 ? ` +${incident.scope.length - 3}` : "";
  const children = incident.children.length === 0 ? "" : ` · ${incident.children.length} attached`;
  return html`<li class=${isOver(incident) ? "over" : `edge-${incident.severity}`}>
    <a href=${`/incidents/${incident.id}`}>
      <span class="badges">${severityBadge(incident.severity)} ${statusBadge(incident.status)} ${page.silenced.has(incident.id) ? silencedBadge() : ""}</span>
      <span class="name">${say(incident.title)}</span>
      <span class="cause">${cause}</span>
      <span class="meta">
        <time datetime=${incident.startedAt}>${page.zone.short(incident.startedAt)} ${page.zone.name}</time>
        ${page.now >= started ? ` · ${agoText(page.now - started)}` : ""} · ${where.join(", ")}${more}${children}
      </span>
    </a>
  </li>`;
}
