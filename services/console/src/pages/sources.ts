/** Who sends: how much, how late, and since when not any more. Who is silent comes first. */
import { agoText, durationText } from "@culprit/model";
import type { SourceView } from "../sources.ts";
import { html, type Markup, say } from "./html.ts";
import { renderDocument, type Viewer } from "./layout.ts";
import type { Zone } from "./when.ts";

export interface SourcesPage {
  readonly sources: readonly SourceView[];
  readonly zone: Zone;
  readonly viewer: Viewer | undefined;
}

const SHOWN_MAX = 500;
const LATE_MS = 5 * 60_000;

export function renderSources({ sources, zone, viewer }: SourcesPage): string {
  const silent = sources.filter(({ state }) => state === "silent").length;
  const shown = sources.slice(0, SHOWN_MAX);
  const body = html`<h1 class="list-title">Sources</h1>
    <p class="quiet">${summary(sources.length, silent)}</p>
    ${
      sources.length === 0
        ? html`<p class="empty">Nothing has been sent yet. The guides under docs/forwarders say how to point a forwarder here.</p>`
        : html`<ol class="incidents sources">${shown.map((source) => row(source, zone))}</ol>`
    }
    ${sources.length > shown.length ? html`<p class="quiet">${shown.length} of ${sources.length} shown; the JSON has all.</p>` : ""}
    <p class="quiet"><a href="/api/v1/sources">JSON</a></p>`;
  return renderDocument({ title: `${silent} silent · Culprit`, body, page: "sources", viewer });
}

function summary(count: number, silent: number): string {
  if (count === 0) return "";
  return silent === 0 ? `${count} known, all of them heard.` : `${count} known, ${silent} silent.`;
}

function row(source: SourceView, zone: Zone): Markup {
  const isSilent = source.state === "silent";
  const name = [source.remote === "" ? "unknown address" : source.remote, source.token].filter(Boolean).join(" · ");
  const formats = source.formats.map(({ format, events }) => `${format} ${number(events)}`).join(", ");
  const odd = [
    source.deadLetters > 0 ? `${number(source.deadLetters)} could not be read` : "",
    source.dropped > 0 ? `${number(source.dropped)} lost` : "",
    (source.lateMs ?? 0) >= LATE_MS ? `${durationText(source.lateMs ?? 0)} late` : "",
  ].filter((text) => text !== "");
  return html`<li class=${isSilent ? "edge-high" : odd.length > 0 ? "edge-medium" : "over"}>
    <div class="source">
      <span class="badges">
        <span class=${`badge status ${isSilent ? "sev-high" : "status-resolved"}`}>${isSilent ? `silent for ${durationText(source.silentMs)}` : `heard ${agoText(source.silentMs)}`}</span>
        ${odd.map((text) => html`<span class="badge sev-medium">${text}</span>`)}
      </span>
      <span class="name">${say(name)}</span>
      <span class="meta">${say(source.receiver)} over ${say(source.transport)}${source.agent === undefined ? "" : ` · ${say(source.agent)}`}${formats === "" ? "" : ` · ${say(formats)}`}</span>
      <span class="meta">${countsText(source, zone)}</span>
    </div>
  </li>`;
}

/** `11 events of 3 machines since 23 Nov, 02:23 · 1 passed over · 0 repeats · at worst 2 s late` */
function countsText(
  { events, hosts, countedSince, notSelected, duplicates, worstLateMs = 0 }: SourceView,
  zone: Zone,
): string {
  const machines = `${hosts} ${hosts === 1 ? "machine" : "machines"}`;
  const parts = [
    `${number(events)} events of ${machines} since ${zone.short(countedSince)}`,
    `${number(notSelected)} passed over`,
    `${number(duplicates)} repeats`,
    ...(worstLateMs < 1_000 ? [] : [`at worst ${durationText(worstLateMs)} late`]),
  ];
  return parts.join(" · ");
}

/** `12 345`: groups of three, with a space that does not break. */
function number(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, "\u202f");
}
