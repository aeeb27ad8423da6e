/** Every timeline beside the playbooks, as a test of its own; and the knowledge as a whole. */
import { createRuleMatcher } from "@culprit/correlator";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KNOWLEDGE_DIR, readKnowledge, readTimelineFiles } from "../packages/cli/src/knowledge-files.ts";
import { playTimeline, TimelineFile } from "../packages/cli/src/timeline.ts";

const { knowledge, diagnostics } = await readKnowledge(KNOWLEDGE_DIR);
const parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
const WEAK_POINTS = 3;
const files = (await readTimelineFiles(KNOWLEDGE_DIR)).map(({ file, text }) => ({
  file,
  ...TimelineFile.parse(parse(text)),
}));

test("the knowledge has no error and no warning", () => {
  expect(diagnostics.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual([]);
});

test("every cause of every playbook comes first in some timeline, as a page or as part of one", () => {
  const reached = new Set(
    files.flatMap(({ timelines }) =>
      timelines.flatMap((timeline) =>
        playTimeline(timeline, parts).incidents.map(({ playbook, causes }) => `${playbook}: ${causes[0]?.id}`),
      ),
    ),
  );
  // What only weak evidence can speak for stands beside the others and never leads.
  const canLead = ({ evidence }: { evidence: readonly { for?: number }[] }): boolean =>
    evidence.some((item) => (item.for ?? 0) > WEAK_POINTS);
  const causes = [...knowledge.program.playbooks.values()].flatMap(({ id, causes: own }) =>
    own.filter(canLead).map((cause) => `${id}: ${cause.id}`),
  );
  expect(causes.filter((cause) => !reached.has(cause))).toEqual([]);
});

test("every playbook has timelines beside it, and there are at least 330 in all", () => {
  const tested = new Set(files.map(({ playbook }) => playbook));
  expect([...knowledge.program.playbooks.keys()].filter((id) => !tested.has(id))).toEqual([]);
  expect(files.reduce((sum, { timelines }) => sum + timelines.length, 0)).toBeGreaterThanOrEqual(330);
});

describe.each(files)("$playbook", ({ timelines }) => {
  test.each(timelines.map((timeline) => [timeline.name, timeline] as const))("%s", (_name, timeline) => {
    expect(playTimeline(timeline, parts).findings).toEqual([]);
  });
});
