/** The silences: what stands and why, a way to lift each, and the form for a new one. */
import {
  agoText,
  durationText,
  type Incident,
  isoOf,
  type Silence,
  type SilenceState,
  silenceState,
  WEEKDAYS,
} from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import { renderDocument, type Viewer } from "./layout.ts";
import { instant, type Zone } from "./when.ts";

export interface SilencesPage {
  readonly viewer: Viewer | undefined;
  /** The newest first. */
  readonly silences: readonly Silence[];
  readonly zone: Zone;
  /** The IANA name of the zone in which the form's hours are. */
  readonly timeZone: string;
  readonly now: number;
  readonly formToken: string;
  /** What was asked to be looked at before it is added. */
  readonly preview?: Preview | undefined;
}

export interface Preview {
  /** The form's fields as they were sent. */
  readonly fields: Readonly<Record<string, string>>;
  /** What is going on and would be quiet, gravest first. */
  readonly covered: readonly Incident[];
  /** What is wrong with the form, if anything is. */
  readonly wrong: string | undefined;
}

const ENDED_SHOWN_MAX = 20;
const LENGTHS: readonly (readonly [hours: number, text: string])[] = [
  [1, "1 hour"],
  [2, "2 hours"],
  [8, "8 hours"],
  [24, "1 day"],
  [168, "1 week"],
  [720, "30 days"],
  [8_760, "1 year"],
];
const STATE_TEXT: Readonly<Record<SilenceState["state"], string>> = {
  active: "quiet now",
  pending: "to come",
  between: "outside its hours",
  ended: "ended",
};

export function renderSilences(page: SilencesPage): string {
  const states = page.silences.map((silence) => ({ silence, ...silenceState(silence, page.now) }));
  const standing = states.filter(({ state }) => state !== "ended");
  const ended = states.filter(({ state }) => state === "ended").slice(0, ENDED_SHOWN_MAX);
  const body = html`<h1 class="list-title">Silences</h1>
    <div class="incident">
      <section>
        <h2>Standing</h2>
        ${standing.length === 0 ? html`<p class="quiet">None: everything pages.</p>` : html`<ul class="activity">${standing.map((each) => row(each, page))}</ul>`}
      </section>
      ${newSilence(page)}
      ${ended.length === 0 ? "" : html`<section><h2>Ended</h2><ul class="activity">${ended.map((each) => row(each, page))}</ul></section>`}
    </div>`;
  const title = `${standing.length} silences · Culprit`;
  return renderDocument({ title, body, page: "silences", viewer: page.viewer });
}

function row({ silence, state, changesAt }: SilenceState & { silence: Silence }, page: SilencesPage): Markup {
  const left = changesAt === undefined ? "" : ` for ${durationText(changesAt - page.now)}`;
  const lifted =
    silence.lifted === undefined
      ? ""
      : html` · lifted by ${say(silence.lifted.who)} ${agoText(Math.max(0, page.now - silence.lifted.at))}`;
  return html`<li>
    <span class="badge status">${STATE_TEXT[state]}${state === "ended" ? "" : left}</span> <b>${coverText(silence)}</b>
    <blockquote>${say(silence.comment)}</blockquote>
    <p class="quiet">${say(silence.who)} · ${instant(isoOf(silence.from), page.zone)} to ${instant(isoOf(silence.until), page.zone)}${hoursText(silence)}${lifted}</p>
    ${state === "ended" ? "" : liftButton(silence, page)}
  </li>`;
}

/** `HV*, SQL03 · playbook backup-*`: what a silence covers, in words. */
function coverText({ match }: Silence): string {
  const parts = [
    match.scope?.join(", "),
    match.playbooks === undefined ? undefined : `playbook ${match.playbooks.join(", ")}`,
    match.severities === undefined ? undefined : `severity ${match.severities.join(", ")}`,
  ];
  return say(parts.filter((part) => part !== undefined).join(" · "));
}

function hoursText({ recurrence }: Silence): string {
  if (recurrence === undefined) return "";
  const windows = recurrence.windows.map(({ days, from, to }) => `${days.join(", ")} ${from} to ${to}`);
  return ` · only ${windows.join("; ")} (${recurrence.zone})`;
}

function liftButton(silence: Silence, page: SilencesPage): Markup {
  return html`<form class="buttons" method="post" action=${`/silences/${silence.id}/lift`}>
    <input type="hidden" name="token" value=${page.formToken} /><button class="button">Lift</button>
  </form>`;
}

function newSilence({ formToken, timeZone, preview, viewer }: SilencesPage): Markup {
  const given = preview?.fields ?? {};
  const hours = given["hours"] ?? "2";
  const weekly = WEEKDAYS.some((day) => given[`day-${day}`] !== undefined);
  return html`<section id="new">
    <h2>New silence</h2>
    ${preview === undefined ? "" : previewOf(preview)}
    <form class="note" method="post" action="/silences">
      <input type="hidden" name="token" value=${formToken} />
      <label>Hosts, VMs, clusters; a comma between, * for any text <input name="scope" maxlength="2000" placeholder="hv11, sql*" value=${given["scope"]} /></label>
      <label>Playbooks <input name="playbooks" maxlength="2000" placeholder="any" value=${given["playbooks"]} /></label>
      <label>How long <select name="hours">${LENGTHS.map(([length, text]) => html`<option value=${length} selected=${String(length) === hours}>${text}</option>`)}</select></label>
      <details open=${weekly}>
        <summary>Only at hours of the week (a maintenance window)</summary>
        <p class="days">${WEEKDAYS.map((day) => html`<label><input type="checkbox" name=${`day-${day}`} checked=${given[`day-${day}`] !== undefined} /> ${day}</label> `)}</p>
        <label>From <input name="from" type="time" value=${given["from"]} /></label>
        <label>To <input name="to" type="time" value=${given["to"]} /></label>
        <p class="quiet">Hours of ${timeZone}; an end before the beginning is on the next day.</p>
      </details>
      <label>Why <input name="comment" maxlength="1000" required value=${given["comment"]} /></label>
      ${viewer === undefined ? html`<label>Your name <input name="who" maxlength="100" autocomplete="username" required value=${given["who"]} /></label>` : ""}
      <p class="buttons">
        <button class="button" formaction="/silences/preview" formnovalidate>See what it covers</button>
        <button class="button">Silence</button>
      </p>
    </form>
  </section>`;
}

const COVERED_SHOWN_MAX = 20;

function previewOf({ covered, wrong }: Preview): Markup {
  if (wrong !== undefined) return html`<p class="warn" role="alert">${say(wrong)}</p>`;
  if (covered.length === 0) {
    return html`<p class="part-of" role="status">Of what is going on now it would cover nothing; what comes may differ.</p>`;
  }
  const shown = covered.slice(0, COVERED_SHOWN_MAX);
  return html`<div class="part-of" role="status">
    <p>It would keep ${covered.length} of what is going on now quiet:</p>
    <ul>${shown.map(({ id, title }) => html`<li><a href=${`/incidents/${id}`}>${say(title)}</a></li>`)}</ul>
    ${covered.length > shown.length ? html`<p>and ${covered.length - shown.length} more</p>` : ""}
  </div>`;
}
