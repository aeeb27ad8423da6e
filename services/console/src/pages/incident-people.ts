/** What people have done about an incident, and what they can do: the buttons, the notes, what happened before. */
import {
  type Action,
  type ActionOrigin,
  confirmedCause,
  durationText,
  type EventId,
  isoOf,
  MINUTE_MS,
  type RankedCause,
  recurrenceText,
  type TimelineEntry,
  unlinkedEvents,
} from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import type { IncidentPage } from "./incident.ts";
import { isOver } from "./parts.ts";
import { instant } from "./when.ts";

const ACTION_TEXT: Readonly<Record<Action["kind"], string>> = {
  acknowledge: "acknowledged",
  resolve: "resolved",
  reopen: "reopened",
  note: "noted",
  unlink: "took out an event",
  relink: "put an event back",
  "confirm-cause": "confirmed the cause",
};
const WAY_TEXT: Readonly<Record<ActionOrigin["via"], string>> = {
  console: "here",
  api: "by the API",
  link: "by a link",
  pagerduty: "in PagerDuty",
  slack: "in Slack",
  telegram: "in Telegram",
};
const HOLDS: readonly (readonly [hours: string, text: string])[] = [
  ["", "until it is over"],
  ["0.5", "for 30 min"],
  ["1", "for 1 h"],
  ["4", "for 4 h"],
  ["12", "for 12 h"],
];

/** Whether it has happened before, whose return it is, who is on it and until when. */
export function historyLines(page: IncidentPage): Markup {
  const { incident, recurrence, standing, zone, now, actions } = page;
  const last = actions.findLast(({ kind }) => kind === "acknowledge");
  const until = standing?.acknowledgedUntil;
  return html`
    ${recurrence === undefined ? "" : html`<p class="part-of"><a href=${`/incidents/${recurrence.last}`}>${say(recurrenceText(recurrence, zone.day(recurrence.lastAt)))}</a></p>`}
    ${incident.previous === undefined || incident.previous === recurrence?.last ? "" : html`<p class="part-of">It has come back: <a href=${`/incidents/${incident.previous}`}>the incident before</a></p>`}
    ${
      standing?.status !== "acknowledged" || last === undefined
        ? ""
        : html`<p class="part-of">${say(last.who)} is on it${until === undefined ? "" : html` for another ${durationText(Math.ceil((until - now) / MINUTE_MS) * MINUTE_MS)}; then it is open again`}</p>`
    }`;
}

export function silenceLine({ silence, zone }: IncidentPage): Markup {
  if (silence === undefined) return "";
  return html`<p class="part-of"><a href="/silences">Silenced</a> by ${say(silence.who)} until ${instant(isoOf(silence.until), zone)}: ${say(silence.comment)}</p>`;
}

/** The buttons below the title. */
export function replyButtons(page: IncidentPage): Markup {
  const { incident, actions, formToken } = page;
  const button = (kind: string, text: string): Markup =>
    html`<button name="kind" value=${kind} class=${`button button-${kind}`}>${text}</button>`;
  const form = { method: "post", action: `/incidents/${incident.id}/actions` };
  const token = html`<input type="hidden" name="token" value=${formToken} />`;
  if (isOver(incident)) {
    // Only what a person has closed can be opened by a person: what has ended by itself begins anew as another incident.
    const isByPerson = actions.some(({ kind }) => kind === "resolve");
    return isByPerson ? html`<form class="buttons" ...${form}>${token}${button("reopen", "Reopen")}</form>` : "";
  }
  const canSilence = page.canSilence && page.silence === undefined;
  const holds = HOLDS.map(([hours, text]) => html`<option value=${hours}>${text}</option>`);
  const acknowledge = html`<span class="joined">
    ${button("acknowledge", incident.status === "open" ? "Acknowledge" : "Acknowledge again")}
    <select name="hours" aria-label="How long the acknowledgement holds">${holds}</select>
  </span>`;
  return html`<form class="buttons" ...${form}>
    ${token}${acknowledge}${button("resolve", "Resolve")}
    ${canSilence ? html`<button class="button" formaction=${`/incidents/${incident.id}/silence`}>Silence 2 h</button>` : ""}
  </form>`;
}

/** Below a cause: whether a person has confirmed it, or the button that does. */
export function confirmButton(cause: RankedCause, page: IncidentPage): Markup {
  const confirmed = confirmedCause(page.actions);
  if (confirmed?.cause === cause.id) {
    return html`<div class="confirmed">Confirmed by ${say(confirmed.who)}, ${page.zone.short(isoOf(confirmed.at))}${smallForm(page, { kind: "confirm-cause", cause: "unknown" }, "Take back")}</div>`;
  }
  if (cause.id === "unknown") return "";
  return smallForm(page, { kind: "confirm-cause", cause: cause.id }, "It was this");
}

/** The button of a timeline's row that takes its event out. */
export function unlinkButton(page: IncidentPage): (entry: TimelineEntry) => Markup {
  return ({ event }) => smallForm(page, { kind: "unlink", event }, "Not part of this");
}

/** What people took out, and the way back. */
export function unlinkedSection(page: IncidentPage): Markup {
  const unlinked = [...unlinkedEvents(page.actions)];
  if (unlinked.length === 0) return "";
  const row = (event: EventId): Markup => {
    const action = page.actions.findLast((each) => each.kind === "unlink" && each.event === event);
    return html`<li>
      ${say(action?.note ?? event.slice(0, 12))} <span class="quiet">${say(action?.who ?? "")}</span>
      ${smallForm(page, { kind: "relink", event }, "Put back")}
    </li>`;
  };
  return html`<section><h2>Taken out by people</h2><ul class="activity">${unlinked.map(row)}</ul></section>`;
}

function smallForm(page: IncidentPage, fields: Readonly<Record<string, string>>, text: string): Markup {
  return html`<form class="inline" method="post" action=${`/incidents/${page.incident.id}/actions`}>
    <input type="hidden" name="token" value=${page.formToken} />
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name=${name} value=${value} />`)}
    <button class="plain">${text}</button>
  </form>`;
}

/** Everything people did, with who, when and from where, and the form for a note. */
export function activitySection(page: IncidentPage): Markup {
  const { incident, actions, zone, formToken, viewer } = page;
  const entries = actions.map(
    (action) => html`<li>
      <span class="quiet">${zone.short(isoOf(action.at))}</span> <b>${say(action.who)}</b> ${ACTION_TEXT[action.kind]}${subjectOf(action, page)}
      ${action.from === undefined ? "" : html` <span class="quiet">${originText(action.from)}</span>`}
      ${action.note === undefined ? "" : html`<blockquote>${say(action.note)}</blockquote>`}
    </li>`,
  );
  return html`<section>
    <h2>What people did</h2>
    ${entries.length === 0 ? html`<p class="quiet">Nothing yet.</p>` : html`<ul class="activity">${entries}</ul>`}
    <form class="note" method="post" action=${`/incidents/${incident.id}/actions`}>
      <input type="hidden" name="token" value=${formToken} />
      ${viewer === undefined ? html`<label>Your name <input name="who" maxlength="100" autocomplete="username" /></label>` : ""}
      <label>Note <textarea name="note" rows="3" maxlength="4000" required></textarea></label>
      <button name="kind" value="note" class="button">Add note</button>
    </form>
  </section>`;
}

/** The cause that was confirmed, how long an acknowledgement holds. */
function subjectOf(action: Action, { incident }: IncidentPage): string {
  if (action.kind === "acknowledge" && action.until !== undefined)
    return ` for ${durationText(action.until - action.at)}`;
  if (action.kind !== "confirm-cause") return "";
  if (action.cause === "unknown") return ": taken back";
  return `: ${say(incident.causes.find(({ id }) => id === action.cause)?.title ?? action.cause)}`;
}

function originText({ via, address, detail }: ActionOrigin): string {
  return say([WAY_TEXT[via], detail, address].filter((part) => part !== undefined).join(" · "));
}
