/** `culprit test`: plays the timelines beside the playbooks and says what was expected and what came. */
import { createRuleMatcher } from "@culprit/correlator";
import { parse } from "yaml";
import { foldersFor, KNOWLEDGE_DIR, loadKnowledge, readTimelineFiles } from "../knowledge-files.ts";
import { type Outcome, playTimeline, TimelineFile } from "../timeline.ts";

interface FileOutcome {
  readonly file: string;
  readonly outcomes: readonly Outcome[];
}

/** Plays every timeline of a folder; one of your own may use our detections. Errors: a file that cannot be read is an outcome with the reason. */
async function playTimelines(dir: string = KNOWLEDGE_DIR): Promise<readonly FileOutcome[]> {
  const knowledge = await loadKnowledge(...foldersFor(dir));
  const parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
  return (await readTimelineFiles(dir)).map(({ file, text }): FileOutcome => {
    let plain: unknown;
    try {
      plain = parse(text);
    } catch (error) {
      return {
        file,
        outcomes: [
          { name: "(file)", findings: [error instanceof Error ? error.message : String(error)], incidents: [] },
        ],
      };
    }
    const parsed = TimelineFile.safeParse(plain);
    if (!parsed.success)
      return {
        file,
        outcomes: [
          {
            name: "(file)",
            findings: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
            incidents: [],
          },
        ],
      };
    return { file, outcomes: parsed.data.timelines.map((timeline) => playTimeline(timeline, parts)) };
  });
}

/** Runs the command. Returns the exit code: 0 when all came as expected, 1 when not. */
export async function runTest(dir: string | undefined, print: (line: string) => void): Promise<number> {
  let passed = 0;
  let failed = 0;
  for (const { file, outcomes } of await playTimelines(dir)) {
    for (const { name, findings } of outcomes) {
      if (findings.length === 0) {
        passed += 1;
        continue;
      }
      failed += 1;
      print(`${file}: ${name}`);
      for (const finding of findings) print(`    ${finding}`);
    }
  }
  print(`${passed} timelines as expected, ${failed} not`);
  return failed === 0 ? 0 : 1;
}
