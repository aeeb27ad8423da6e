/** Pieces that several pages show. */
import type { Incident, IncidentStatus, RankedCause, Severity } from "@culprit/model";
import { html, type Markup, say } from "./html.ts";

/** Not by colour alone: each severity has a shape of its own and its word. */
const SHAPES: Readonly<Record<Severity, string>> = {
  critical: "M8 1 15 14H1Z",
  high: "M8 1 15 8 8 15 1 8Z",
  medium: "M2 2h12v12H2Z",
  low: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  info: "M7 2h2v12H7Z",
};

export function severityBadge(severity: Severity): Markup {
  return html`<span class=${`badge sev-${severity}`}>
    <svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true"><path d=${SHAPES[severity]} /></svg>${severity}
  </span>`;
}

export function statusBadge(status: IncidentStatus): Markup {
  return html`<span class=${`badge status status-${status}`}>${status}</span>`;
}

export function silencedBadge(): Markup {
  return html`<span class="badge status">silenced</span>`;
}

export const VERDICT_TEXT: Readonly<Record<Incident["verdict"], string>> = {
  confirmed: "confirmed",
  likely: "likely",
  tied: "several explain it equally",
  "not-enough-evidence": "not enough evidence",
};

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** A cause's share as a bar; the number stands beside it for everyone who cannot see the bar. */
export function shareBar(cause: Pick<RankedCause, "id" | "share">): Markup {
  const width = `${Math.round(cause.share * 100)}%`;
  return html`<svg class=${`bar ${cause.id === "unknown" ? "bar-unknown" : ""}`} width="100%" height="8" aria-hidden="true">
    <rect class="bar-back" width="100%" height="8" rx="4" /><rect class="bar-fill" width=${width} height="8" rx="4" />
  </svg>`;
}

export function causeTitle(cause: Pick<RankedCause, "id" | "title">): string {
  return cause.id === "unknown" ? "Not known" : say(cause.title);
}

export function isOver(incident: Pick<Incident, "status">): boolean {
  return incident.status === "resolved" || incident.status === "closed";
}

/** Whether the ranking names a cause at all. */
export function isClear(incident: Incident): boolean {
  return (incident.verdict === "confirmed" || incident.verdict === "likely") && incident.causes[0]?.id !== "unknown";
}

const TIE_MARGIN = 0.1;
const TIED_MAX = 3;

/** The causes to argue in full: the first one, or all that tie with it. */
export function arguedCauses(incident: Incident): readonly RankedCause[] {
  const [first, ...others] = incident.causes;
  if (first === undefined) return [];
  if (incident.verdict === "tied") {
    const tied = others.filter((cause) => cause.id !== "unknown" && first.share - cause.share <= TIE_MARGIN + 1e-9);
    return [first, ...tied].slice(0, TIED_MAX);
  }
  // Where nothing is known the best named cause is argued, if anything speaks for one.
  return [first.id === "unknown" ? (others.find((cause) => cause.for.length > 0) ?? first) : first];
}
