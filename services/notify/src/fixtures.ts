/** Incidents for tests: those of `fixtures/` and changes to them. */
import { readFileSync } from "node:fs";
import { Incident } from "@culprit/model";

export type FixtureName = "cluster-hang-9e" | "dpm-vss" | "storage-loss";

export function fixture(name: FixtureName, change: Partial<Incident> = {}): Incident {
  const text = readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");
  return { ...Incident.parse(JSON.parse(text)), ...change };
}

/** The fixture with `text` in every place where the words of an event can stand. */
export function hostile(text: string): Incident {
  const base = fixture("cluster-hang-9e");
  const reason = { points: 20, text, events: [] };
  const [first, ...others] = base.causes;
  if (first === undefined) throw new Error("the fixture has causes");
  return {
    ...base,
    title: text,
    scope: [{ kind: "host", id: text, role: text }],
    facts: [text],
    notCauses: [text],
    unknown: [text],
    causes: [
      {
        ...first,
        title: text,
        summary: text,
        for: [reason],
        against: [{ ...reason, points: -3 }],
        missing: [{ text, collect: text }],
        actions: [text],
      },
      ...others.map((cause) => ({ ...cause, title: text })),
    ],
    timeline: base.timeline.slice(0, 1).map((entry) => ({ ...entry, summary: text, host: text, provider: text })),
  };
}

/** Far more text than any target takes, of characters that are more than one byte and more than one code unit. */
export function oversized(): Incident {
  return hostile("ü💾語 ".repeat(5_000));
}
