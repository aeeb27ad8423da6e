/** The silences: what stands and why, a way to lift each, and the form for a new one. */
import { agoText, durationText, isoOf, type Silence, type SilenceState, silenceState, WEEKDAYS } from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import { renderDocument } from "./layout.ts";
import { instant, type Zone } from "./when.ts";

export interface SilencesPage {
  /** The newest first. */
  readonly silences: readonly Silence[];
  readonly zone: Zone;
  /** The IANA name of the zone in which the form's hours are. */
  readonly timeZone: string;
  readonly now: number;
  readonly formToken: string;
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
  return renderDocument({ title: `${standing.length} silences · Culprit`, body, page: "silences" });
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

function newSilence({ formToken, timeZone }: SilencesPage): Markup {
  return html`<section>
    <h2>New silence</h2>
    <form class="note" method="post" action="/silences">
      <input type="hidden" name="token" value=${formToken} />
      <label>Hosts, VMs, clusters; a comma between, * for any text <input name="scope" maxlength="2000" placeholder="hv11, sql*" /></label>
      <label>Playbooks <input name="playbooks" maxlength="2000" placeholder="any" /></label>
      <label>How long <select name="hours">${LENGTHS.map(([hours, text]) => html`<option value=${hours} selected=${hours === 2}>${text}</option>`)}</select></label>
      <details>
        <summary>Only at hours of the week (a maintenance window)</summary>
        <p class="days">${WEEKDAYS.map((day) => html`<label><input type="checkbox" name=${`day-${day}`} /> ${day}</label> `)}</p>
        <label>From <input name="from" type="time" /></label>
        <label>To <input name="to" type="time" /></label>
        <p class="quiet">Hours of ${timeZone}; an end before the beginning is on the next day.</p>
      </details>
      <label>Why <input name="comment" maxlength="1000" required /></label>
      <label>Your name <input name="who" maxlength="100" autocomplete="username" required /></label>
      <button class="button">Silence</button>
    </form>
  </section>`;
}
