/** What the documents list is what the sources have, both ways; and what is made from code is in step with it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEmbeddedBus } from "@culprit/bus";
import { createRuleMatcher } from "@culprit/correlator";
import { ALL_TOPICS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KNOWLEDGE_DIR, loadKnowledge, readTimelineFiles } from "../packages/cli/src/knowledge-files.ts";
import { playTimeline, TimelineFile } from "../packages/cli/src/timeline.ts";
import { ARTICLES, playbooksOfArticles } from "./generated/articles.ts";
import { configKeys } from "./generated/config-keys.ts";
import { generatedFiles } from "./generated/files.ts";
import { schemaFiles } from "./generated/schemas.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const REFERENCE = read("packages/model/REFERENCE.md");

/** The first cells, in backticks, of the tables under a heading of the reference. */
function listed(...headings: readonly string[]): string[] {
  return headings.flatMap((heading) => {
    const section = REFERENCE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
    if (section === undefined) throw new RangeError(`no heading ${heading}`);
    return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] as string);
  });
}

/** What ships: sources without tests and their helpers. */
const sources: readonly string[] = ["packages", "services"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        /^[^/\\]+[/\\]src[/\\].*\.ts$/.test(path) &&
        !/node_modules|\.(?:test|contract|test-support)\.ts$|(?:test-kit|test-support|testing|fixtures|crash-process)\.ts$|[/\\](?:testing|crash)[/\\]/.test(
          path,
        ),
    )
    .map((path) => read(join(folder, path))),
);

function found(pattern: RegExp): string[] {
  const all = sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] as string));
  return [...new Set(all)].sort();
}

const sorted = (all: Iterable<string>): string[] => [...new Set(all)].sort();

test("every failure, fault and answer code of the sources is in the reference, and nothing else", () => {
  const CODE = String.raw`"([a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*)"`;
  const made = String.raw`(?:failure|new Fault|new Damage|problem|problemPage|problemJson)\((?:reply, )?\s*`;
  const named = String.raw`(?:\breason: |\bcode: |\bcode = |\bCODE = |^ {2}\| )`;
  const codes = found(new RegExp(`(?:${made}|${named})${CODE}`, "gm"));
  expect(codes.length).toBeGreaterThan(50);
  expect(codes).toEqual(sorted(listed("Failures", "Faults", "Answers of the console")));
});

test("every metric of the sources is in the reference, and nothing else", async () => {
  const direct = found(/\.(?:counter|gauge|histogram)\(\s*"([a-z_]+)"/g);
  await using bus = await openEmbeddedBus();
  const ofBus = Object.keys(bus.stats()).map((name) => `bus_${name}`);
  // `observe("prefix", "…", () => ({ name: … }))`, or with a body that returns the object.
  const OBSERVED =
    /\.observe\(\s*"([a-z_]+)",\s*"[^"]*",\s*\(\) =>\s*(?:\(\{([^}]*)\}\)|\{[\s\S]*?return \{([^}]*)\})/g;
  const observed = sources.flatMap((text) =>
    [...text.matchAll(OBSERVED)].flatMap(([, prefix, short, long]) =>
      [...(short ?? long ?? "").matchAll(/(?:^|,)\s*([a-z_]+): /g)].map((match) => `${prefix}_${match[1]}`),
    ),
  );
  expect(observed.length).toBeGreaterThanOrEqual(3);
  const all = [...direct, ...ofBus, ...observed].map((name) => `culprit_${name}`);
  expect(sorted(all)).toEqual(sorted(listed("Metrics")));
});

test("every topic is in the reference, and nothing else", () => {
  expect(sorted(listed("Topics"))).toEqual(sorted(ALL_TOPICS.map(({ name }) => name)));
});

test("every config key is in the reference, and nothing else", () => {
  const schema: unknown = JSON.parse(schemaFiles().get("config.json") ?? "null");
  expect(sorted(listed("Config keys"))).toEqual(sorted(configKeys(schema)));
});

test("what is made from code is in step with it: else run npm run docs", async () => {
  const files = await generatedFiles(async (path) => read(path));
  const stale = [...files].filter(([path, text]) => !existsSync(join(ROOT, path)) || read(path) !== text);
  expect(stale.map(([path]) => path)).toEqual([]);
});

test("each article of 2009 has a playbook, and playbooks name no others", async () => {
  const { program } = await loadKnowledge(KNOWLEDGE_DIR);
  const named = playbooksOfArticles(program);
  expect([...named].filter(([, ids]) => ids.length === 0)).toEqual([]);
  expect([...named.keys()].sort()).toEqual([...ARTICLES].sort());
});

test("the worked example of docs/playbooks.md loads, and its timelines end as it says", async () => {
  const blocks = [...read("docs/playbooks.md").matchAll(/^`mine\/([^`]+)`[^\n]*:\n\n```yaml\n([\s\S]*?)^```/gm)];
  const dir = await mkdtemp(join(tmpdir(), "culprit-docs-"));
  try {
    for (const [, path = "", text = ""] of blocks) {
      await mkdir(join(dir, dirname(path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    const knowledge = await loadKnowledge(KNOWLEDGE_DIR, [dir]);
    const parts = { program: knowledge.program, tables: knowledge.tables, matcher: createRuleMatcher(knowledge) };
    const files = (await readTimelineFiles(dir)).map(({ text }) => TimelineFile.parse(parse(text)));
    const outcomes = files.flatMap(({ timelines }) => timelines.map((timeline) => playTimeline(timeline, parts)));
    expect(outcomes.map(({ name, findings }) => [name, findings])).toEqual([
      ["an update, then it ends three times", []],
      ["once is no loop", []],
    ]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("packages/README.md gives a reason for each dependency, and for no other", () => {
  const manifests = ["packages", "services"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "package.json")),
  );
  const used = ["package.json", ...manifests]
    .filter((path) => existsSync(join(ROOT, path)))
    .flatMap((path) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(path)) as Record<
        string,
        Record<string, string>
      >;
      return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
    });
  const ours = sorted(used.filter((name) => !name.startsWith("@culprit/")));
  const explained = [...read("packages/README.md").matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] as string);
  expect(sorted(explained)).toEqual(ours);
});

const pages = ["README.md", "packages/README.md", "packages/model/REFERENCE.md"].concat(
  readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ["packages", "services"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .map((name) => `${folder}/${name}/README.md`)
      .filter((path) => existsSync(join(ROOT, path))),
  ),
);

describe.each(pages)("%s", (page) => {
  test("links only to what is there", () => {
    const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string);
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(ROOT, page) : join(ROOT, page, "..", path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** The anchors that headings get, as GitHub makes them. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replace(/\s/g, "-"),
    ),
  );
}
