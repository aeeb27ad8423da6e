/**
 * The page that stands for many: when more new pages wait than a target may be sent, one page says how many there are and
 * which are the gravest. It is an incident like any other to the target; what it counts is still told one by one, at the
 * pace of the target. Pure.
 */
import {
  compareSeverity,
  contentId,
  type EpochMs,
  type Incident,
  type IncidentId,
  isoOf,
  SEVERITIES,
} from "@culprit/model";

const DIGEST_PLAYBOOK = "storm";
const GRAVEST_MAX = 4;

/** The id under which a target's digest goes for the incidents of one owner. */
export function digestId(notifier: string, seat: number): IncidentId {
  return contentId("digest", notifier, String(seat)) as IncidentId;
}

/** Whether an incident is a digest of ours and has no page of its own in the console. */
export function isDigest(incident: Pick<Incident, "playbook" | "scope">): boolean {
  return incident.playbook === DIGEST_PLAYBOOK && incident.scope.length === 0;
}

/**
 * The digest of what waits; over when nothing does.
 * Units: `since` is when the digest that is open began.
 */
export function digestOf(
  waiting: readonly Incident[],
  at: { readonly id: IncidentId; readonly since: EpochMs; readonly now: EpochMs },
): Incident {
  const gravest = waiting.toSorted((a, b) => compareSeverity(a.severity, b.severity) || (a.id < b.id ? -1 : 1));
  const isOver = waiting.length === 0;
  const since = isoOf(at.since);
  const now = isoOf(at.now);
  const reasons = gravest.slice(0, GRAVEST_MAX).map(({ severity, title }) => `${severity.toUpperCase()} ${title}`);
  const others = { against: [], missing: [], references: [] };
  return {
    id: at.id,
    revision: Math.max(1, Math.floor(at.now / 1_000)),
    playbook: DIGEST_PLAYBOOK,
    playbookVersion: 1,
    programHash: "",
    title: isOver
      ? "Every incident that waited has been told"
      : `${waiting.length} more incidents wait: ${countsOf(waiting)}`,
    severity: gravest[0]?.severity ?? "info",
    status: isOver ? "closed" : "open",
    verdict: "confirmed",
    settled: true,
    scope: [],
    startedAt: since,
    detectedAt: since,
    updatedAt: now,
    ...(isOver ? { endedAt: now } : {}),
    causes: [
      {
        // Only a count that has doubled or halved is news.
        id: `waiting-${Math.floor(Math.log2(waiting.length + 1))}`,
        title: "More happens at once than pages may be sent",
        summary: "",
        share: 1,
        points: 0,
        for: reasons.map((text) => ({ points: 0, text, events: [] })),
        ...others,
        actions: [
          "Look at the list, the gravest first: many may have one cause",
          "Each is still told here, the gravest first",
        ],
      },
    ],
    notCauses: [],
    facts: reasons,
    timeline: [],
    unknown: [],
    children: [],
    occurrences: 1,
    first: since,
    last: now,
  };
}

/** `3 critical, 8 high` */
function countsOf(waiting: readonly Incident[]): string {
  return SEVERITIES.flatMap((severity) => {
    const count = waiting.filter((incident) => incident.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  }).join(", ");
}
