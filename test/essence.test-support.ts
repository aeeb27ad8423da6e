/** What of incidents must not depend on the order in which their records came. */
import type { Incident } from "@culprit/model";

/** Everything but the names and times that the first sight of an incident gave, in one order; without what was withdrawn. */
export function essence(incidents: readonly Incident[]): unknown[] {
  const kept = incidents.filter(({ facts }) => !facts.some((fact) => fact.startsWith("Withdrawn")));
  const plain = kept.map(({ revision: _revision, detectedAt: _detected, updatedAt: _updated, children, ...rest }) => {
    const named = (value: unknown): string =>
      kept.reduce(
        (text, { id, playbook, startedAt }) => text.replaceAll(id, `${playbook} ${startedAt}`),
        JSON.stringify(value),
      );
    const { playbook, startedAt, scope } = rest;
    // What an incident is stands first, so that sorting puts like beside like.
    return JSON.stringify({
      playbook,
      startedAt,
      scope,
      ...JSON.parse(named(rest)),
      children: children.map(named).sort(),
    });
  });
  return plain.sort().map((text) => JSON.parse(text));
}
