/** Every timeline beside the playbooks, as a test of its own; and the knowledge as a whole. */
import { createRuleMatcher } from "@culprit/correlator";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KNOWLEDGE_DIR, readKnowledge, readTimelineFiles } from "../packages/cli/src/knowledge-files.ts";
import { playTimeline, TimelineFile } from "../packages/cli/src/timeline.ts";

const { knowledge, diagnostics } = await readKnowledge(KNOWLEDGE_DIR);
const parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
const files = (await readTimelineFiles(KNOWLEDGE_DIR)).map(({ file, text }) => ({
  file,
  ...TimelineFile.parse(parse(text)),
}));

test("the knowledge has no error and no warning", () => {
  expect(diagnostics.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual([]);
});

test("every playbook has timelines beside it: one that pages, one for each cause", () => {
  const lacking: string[] = [];
  for (const playbook of knowledge.program.playbooks.values()) {
    const own = files.find((file) => file.playbook === playbook.id);
    const reached = new Set(
      own?.timelines.flatMap(({ expect: wanted }) =>
        wanted.filter((one) => one.playbook === playbook.id).map(({ cause }) => cause),
      ),
    );
    if (playbook.severity === "info") continue;
    for (const { id } of playbook.causes)
      if (!reached.has(id)) lacking.push(`${playbook.id}: no timeline ends at ${id}`);
  }
  expect(lacking).toEqual([]);
});

describe.each(files)("$playbook", ({ timelines }) => {
  test.each(timelines.map((timeline) => [timeline.name, timeline] as const))("%s", (_name, timeline) => {
    expect(playTimeline(timeline, parts).findings).toEqual([]);
  });
});
