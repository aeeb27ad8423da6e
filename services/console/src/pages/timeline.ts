/**
 * The timeline as a picture, one lane per host, and as the table that says the same in words. Positions are percentages in
 * SVG attributes: the picture fits any width without script, and the text in it keeps its size.
 */
import { durationText, type Incident, shortName, type TimelineEntry } from "@culprit/model";
import { html, type Markup, say } from "./html.ts";
import type { Zone } from "./when.ts";

const LANES_MAX = 12;
const LANE_HEIGHT = 38;
const AXIS_HEIGHT = 26;
const MARKS_MAX = 400;
const ROWS_MAX = 300;
/** Room for half a mark at both ends, in percent. */
const MARGIN = 3;

const SHAPES: Readonly<Record<TimelineEntry["role"], string>> = {
  trigger: "M0-7 7 0 0 7-7 0Z",
  evidence: "M0-5A5 5 0 1 1 0 5 5 5 0 1 1 0-5Z",
  context: "M-1.5-5h3V5h-3Z",
  recovery: "M0-6 6 5H-6Z",
};
const ROLE_TEXT: Readonly<Record<TimelineEntry["role"], string>> = {
  trigger: "what happened",
  evidence: "evidence",
  context: "context",
  recovery: "recovery",
};

/** The swim lanes; nothing where there is one moment only. */
export function swimLanes(incident: Incident, zone: Zone): Markup {
  const marks = incident.timeline.slice(0, MARKS_MAX);
  const times = marks.map(({ at }) => Date.parse(at));
  const first = Math.min(...times);
  const span = Math.max(...times) - first;
  if (marks.length < 2 || span <= 0) return "";
  const hosts = [...new Set(marks.map(({ host }) => host))].slice(0, LANES_MAX);
  const at = (ms: number): string => `${(MARGIN + ((ms - first) / span) * (100 - 2 * MARGIN)).toFixed(2)}%`;
  const height = hosts.length * LANE_HEIGHT + AXIS_HEIGHT;
  const lanes = hosts.map((host, index) => {
    const y = index * LANE_HEIGHT + LANE_HEIGHT / 2;
    const own = marks.filter((mark) => mark.host === host);
    return html`<line class="lane" x1="0" x2="100%" y1=${y + 8} y2=${y + 8} />
      <text class="lane-name" x="0" y=${y - 4}>${say(shortName(host).toUpperCase())}</text>
      ${own.map(
        (mark) => html`<svg x=${at(Date.parse(mark.at))} y=${y + 8} overflow="visible">
        <path class=${`mark mark-${mark.role}`} d=${SHAPES[mark.role]}>
          <title>${`${zone.clock(mark.at)} ${say(mark.provider)} ${mark.eventId}`}</title>
        </path>
      </svg>`,
      )}`;
  });
  const start = Date.parse(incident.startedAt);
  const onset =
    start < first || start > first + span
      ? ""
      : html`<line class="onset" x1=${at(start)} x2=${at(start)} y1="0" y2=${height - AXIS_HEIGHT + 6} />`;
  const y = height - 6;
  return html`<figure class="lanes">
    <svg width="100%" height=${height} role="img" aria-label="Timeline by host; the table below says the same">
      ${onset}${lanes}
      <text class="axis" x="0" y=${y}>${zone.clock(new Date(first).toISOString())}</text>
      <text class="axis" x="50%" y=${y} text-anchor="middle">${durationText(span)}</text>
      <text class="axis" x="100%" y=${y} text-anchor="end">${zone.clock(new Date(first + span).toISOString())}</text>
    </svg>
    <figcaption>${(["trigger", "evidence", "context", "recovery"] as const).map(legend)}</figcaption>
  </figure>`;
}

function legend(role: TimelineEntry["role"]): Markup {
  return html`<span class="key">
    <svg width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true"><path class=${`mark mark-${role}`} d=${SHAPES[role]} /></svg>
    ${ROLE_TEXT[role]}
  </span>`;
}

/** Every entry in order, each with its button; what an event says is quoted, apart from our own words. */
export function timelineTable(incident: Incident, zone: Zone, button: (entry: TimelineEntry) => Markup): Markup {
  const shown = incident.timeline.slice(0, ROWS_MAX);
  const left = incident.timeline.length - shown.length;
  return html`<div class="scroll">
    <table class="timeline">
      <thead><tr><th scope="col">${zone.name}</th><th scope="col">Host</th><th scope="col">Event</th><th scope="col">As logged</th></tr></thead>
      <tbody>${shown.map((entry) => timelineRow(entry, zone, button(entry)))}</tbody>
    </table>
    ${left > 0 ? html`<p class="quiet">${left} more are in the JSON.</p>` : ""}
  </div>`;
}

function timelineRow(entry: TimelineEntry, zone: Zone, button: Markup): Markup {
  const late = Date.parse(entry.loggedAt) - Date.parse(entry.at);
  return html`<tr class=${`row-${entry.role}`}>
    <td class="at">
      <time datetime=${entry.at}>${zone.clock(entry.at)}</time>
      ${late >= 60_000 ? html`<span class="quiet late">written ${durationText(late)} later</span>` : ""}
    </td>
    <td class="host">${say(shortName(entry.host).toUpperCase())}</td>
    <td class="event">
      <span class="role">${ROLE_TEXT[entry.role]}</span>
      <span title=${say(entry.channel)}>${say(entry.provider)}</span> <b>${entry.eventId}</b>
    </td>
    <td><q>${say(entry.summary)}</q>${button}</td>
  </tr>`;
}
