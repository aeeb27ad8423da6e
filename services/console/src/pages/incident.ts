/** The page of one incident: what and where, why we think so, what to do first, then everything else. */
import {
  type Action,
  agoText,
  type Delivery,
  durationText,
  type Incident,
  isoOf,
  type RankedCause,
  type Reason,
  type Recurrence,
  SECOND_MS,
  type Silence,
  type Standing,
  shortName,
} from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import {
  activitySection,
  confirmButton,
  historyLines,
  replyButtons,
  silenceLine,
  unlinkButton,
  unlinkedSection,
} from "./incident-people.ts";
import { renderDocument, type Viewer } from "./layout.ts";
import {
  arguedCauses,
  causeTitle,
  isClear,
  isOver,
  percent,
  severityBadge,
  shareBar,
  statusBadge,
  VERDICT_TEXT,
} from "./parts.ts";
import { swimLanes, timelineTable } from "./timeline.ts";
import { instant, type Zone } from "./when.ts";

export interface IncidentPage {
  readonly incident: Incident;
  readonly parent: Incident | undefined;
  /** Those children that are known. */
  readonly children: readonly Incident[];
  readonly actions: readonly Action[];
  readonly deliveries: readonly Delivery[];
  /** What keeps it quiet now. */
  readonly silence: Silence | undefined;
  /** Whether it says enough of itself for a silence of its own. */
  readonly canSilence: boolean;
  readonly zone: Zone;
  readonly now: number;
  readonly formToken: string;
  readonly viewer: Viewer | undefined;
  readonly standing: Standing | undefined;
  readonly recurrence: Recurrence | undefined;
}

const COLLECT_MAX = 2;

export function renderIncident(page: IncidentPage): string {
  const { incident } = page;
  const main = arguedCauses(incident);
  const others = incident.causes.filter((cause) => !main.includes(cause));
  const body = html`<article class="incident">
    ${head(page)}
    ${causeSection(page)}
    ${firstSteps(incident)}
    ${incident.notCauses.length === 0 ? "" : html`<section><h2>Not the cause</h2>${incident.notCauses.map((text) => html`<p>${say(text)}</p>`)}</section>`}
    ${others.length === 0 ? "" : html`<section><h2>Other causes</h2>${others.map((cause) => otherCause(cause, page))}</section>`}
    ${unknownSection(incident)}
    <section><h2>Timeline</h2>${swimLanes(incident, page.zone)}${timelineTable(incident, page.zone, unlinkButton(page))}</section>
    ${scopeSection(page)}
    ${deliverySection(page)}
    ${unlinkedSection(page)}
    ${activitySection(page)}
    <p class="quiet ids">Incident ${incident.id} · revision ${incident.revision} · ${say(incident.playbook)} v${incident.playbookVersion} · <a href=${`/api/v1/incidents/${incident.id}`}>JSON</a></p>
  </article>`;
  return renderDocument({ title: `${say(incident.title)} · Culprit`, body, page: "incident", viewer: page.viewer });
}

function head(page: IncidentPage): Markup {
  const { incident, zone, now, parent } = page;
  const started = Date.parse(incident.startedAt);
  const lasted = Date.parse(incident.endedAt ?? incident.startedAt) - started;
  const ended = lasted >= SECOND_MS ? `over after ${durationText(lasted)}` : "over";
  const length = isOver(incident) ? ended : agoText(Math.max(0, now - started));
  return html`<header class="head">
    <p class="badges">${severityBadge(incident.severity)} ${statusBadge(incident.status)}</p>
    <h1>${say(incident.title)}</h1>
    <p class="when">${instant(incident.startedAt, zone)} · ${length}</p>
    ${incident.facts.length === 0 ? "" : html`<ul class="facts">${incident.facts.map((fact) => html`<li>${say(fact)}</li>`)}</ul>`}
    ${parent === undefined ? "" : html`<p class="part-of">Part of <a href=${`/incidents/${parent.id}`}>${say(parent.title)}</a></p>`}
    ${historyLines(page)}
    ${silenceLine(page)}
    ${replyButtons(page)}
  </header>`;
}

function causeSection(page: IncidentPage): Markup {
  const { incident } = page;
  const [first, ...tied] = arguedCauses(incident);
  if (first === undefined) return "";
  if (isClear(incident)) {
    return html`<section class="cause-main">
      <h2>Probable cause</h2>
      ${argued(first, `${VERDICT_TEXT[incident.verdict]}${incident.settled ? "" : ", may still change"}`, page)}
    </section>`;
  }
  const decides = incident.causes.flatMap((cause) => cause.missing)[0];
  const why =
    tied.length > 0
      ? `${tied.length === 1 ? "Two" : "Several"} causes explain it about equally well.`
      : "The logs do not say enough to name a cause.";
  return html`<section class="cause-main unclear">
    <h2>Cause not clear</h2>
    <p class="summary">${why}${decides === undefined ? "" : html` This would decide: <strong>${say(decides.text)}</strong>.`}</p>
    ${argued(first, tied.length > 0 ? "either this" : first.id === "unknown" ? "no cause has anything for it" : "best guess", page)}
    ${tied.map((cause) => argued(cause, "or this", page))}
  </section>`;
}

function argued(cause: RankedCause, verdict: string, page: IncidentPage): Markup {
  return html`${causeHead(cause, verdict)}
    ${cause.summary === "" ? "" : html`<p class="summary">${say(cause.summary)}</p>`}
    ${reasons(cause)}
    ${confirmButton(cause, page)}`;
}

function causeHead(cause: RankedCause, verdict: string): Markup {
  return html`<div class="cause-head">
    <h3>${causeTitle(cause)}</h3>
    <p class="share-line"><strong>${percent(cause.share)}</strong> <span class="verdict">${verdict}</span></p>
  </div>${shareBar(cause)}`;
}

function reasons(cause: RankedCause): Markup {
  const missing = cause.missing.map(
    ({ text, collect }) =>
      html`<li>${say(text)}${collect === undefined ? "" : html`<code class="command">${say(collect)}</code>`}</li>`,
  );
  return html`<dl class="reasons">
    <dt>For</dt><dd>${reasonList(cause.for)}</dd>
    <dt>Against</dt><dd>${reasonList(cause.against)}</dd>
    <dt>Unknown</dt><dd>${missing.length === 0 ? html`<p class="quiet">nothing known to be missing</p>` : html`<ul>${missing}</ul>`}</dd>
  </dl>`;
}

function reasonList(list: readonly Reason[]): Markup {
  if (list.length === 0) return html`<p class="quiet">nothing seen</p>`;
  return html`<ul class="points">${list.map(
    (reason) =>
      html`<li><span class=${`points-value ${reason.points < 0 ? "minus" : "plus"}`}>${signed(reason.points)}</span><span>${say(reason.text)}</span></li>`,
  )}</ul>`;
}

function signed(points: number): string {
  const rounded = Math.round(points * 10) / 10;
  return rounded > 0 ? `+${rounded}` : String(rounded).replace("-", "−");
}

/** Where the cause is not clear, what would decide comes before what might repair. */
function firstSteps(incident: Incident): Markup {
  const main = arguedCauses(incident);
  const collect = main
    .flatMap((cause) => cause.missing)
    .flatMap(({ text, collect }) => (collect === undefined ? [] : [{ text, collect }]));
  const learn = isClear(incident) ? [] : collect.slice(0, COLLECT_MAX);
  const own = [...new Set(main.flatMap((cause) => cause.actions))];
  const references = [...new Set(incident.causes.flatMap((cause) => cause.references))];
  return html`<section class="first">
    <h2>Do first</h2>
    ${
      learn.length + own.length === 0
        ? html`<p>No safe first step is known for this. Look at the evidence before changing anything.</p>`
        : html`<ol>
            ${learn.map((step) => html`<li>To learn ${say(step.text)}: <code>${say(step.collect)}</code></li>`)}
            ${own.map((step) => html`<li>${say(step)}</li>`)}
          </ol>`
    }
    ${references.length === 0 ? "" : html`<p class="quiet">See ${references.map(say).join(" · ")}</p>`}
  </section>`;
}

function otherCause(cause: RankedCause, page: IncidentPage): Markup {
  return html`<details class="other">
    <summary><span class="other-title">${causeTitle(cause)}</span><span class="other-share">${percent(cause.share)}</span>${shareBar(cause)}</summary>
    ${cause.summary === "" ? "" : html`<p class="summary">${say(cause.summary)}</p>`}
    ${reasons(cause)}
    ${cause.actions.length === 0 ? "" : html`<h3 class="minor">If it is this</h3><ol>${cause.actions.map((step) => html`<li>${say(step)}</li>`)}</ol>`}
    ${confirmButton(cause, page)}
  </details>`;
}

function unknownSection(incident: Incident): Markup {
  const items =
    incident.unknown.length === 0
      ? html`<p class="quiet">No log is known to be missing.</p>`
      : html`<ul>${incident.unknown.map((text) => html`<li>${say(text)}</li>`)}</ul>`;
  return html`<section><h2>What we could not see</h2>${items}</section>`;
}

function scopeSection({ incident, children }: IncidentPage): Markup {
  const entries = incident.scope.map(({ kind, id, role }) => {
    const name = kind === "host" ? shortName(id).toUpperCase() : id;
    return html`<li title=${say(id)}><b>${say(name)}</b> <span class="quiet">${say(role === kind ? kind : `${role}${kind === "host" ? "" : `, ${kind}`}`)}</span></li>`;
  });
  const known = new Set(children.map(({ id }) => id));
  const unknown = incident.children.filter((id) => !known.has(id)).length;
  return html`<section>
    <h2>Who is affected</h2>
    <ul class="scope">${entries}</ul>
    ${children.length === 0 ? "" : html`<h3>Explained by this</h3><ul>${children.map((child) => html`<li><a href=${`/incidents/${child.id}`}>${say(child.title)}</a></li>`)}</ul>`}
    ${unknown === 0 ? "" : html`<p class="quiet">${unknown} further ${unknown === 1 ? "incident" : "incidents"} attached.</p>`}
    ${incident.occurrences > 1 ? html`<p>Seen ${incident.occurrences} times in this incident.</p>` : ""}
  </section>`;
}

function deliverySection({ deliveries, zone }: IncidentPage): Markup {
  if (deliveries.length === 0) return html`<section><h2>Who was told</h2><p class="quiet">Nobody yet.</p></section>`;
  const rows = deliveries.map((delivery) => {
    const { outcome, told, heldBy, handedOverAt } = delivery;
    const state =
      heldBy !== undefined
        ? "taken over by the wider incident"
        : outcome === undefined
          ? "being sent"
          : outcome.result === "ok"
            ? `${outcome.action} ${outcome.certainty ?? "accepted"}`
            : `${outcome.action} not taken: ${say(outcome.detail)}`;
    const at = outcome?.at ?? told?.at;
    return html`<li>
      <b>${say(delivery.notifier)}</b> ${state}
      ${at === undefined ? "" : html` <span class="quiet">${zone.short(isoOf(at))}</span>`}
      ${handedOverAt === undefined ? "" : html` <span class="warn">handed to the fallback</span>`}
    </li>`;
  });
  return html`<section><h2>Who was told</h2><ul class="deliveries">${rows}</ul></section>`;
}
