/** `culprit match` as people and scripts call it: the conformance cases, and the shape of the command line. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runMatch } from "./match.ts";

interface Expected {
  readonly rule: string;
  readonly matchedEventIndexes?: readonly number[];
  readonly fired?: boolean;
  readonly firstFiredAtIndex?: number | null;
  readonly groups?: readonly { readonly key: Readonly<Record<string, string>>; readonly firstFiredAtIndex: number }[];
  readonly rejected?: boolean;
}

interface Case {
  readonly id: string;
  readonly rules: readonly string[];
  readonly events: readonly unknown[];
  readonly expected: readonly Expected[];
  readonly placeholders?: Readonly<Record<string, readonly string[]>>;
}

interface Line {
  readonly rule: string;
  readonly event: number;
  readonly group?: Readonly<Record<string, string>>;
}

const FIXTURE = new URL("../../../rules/fixtures/sigma-conformance.jsonl", import.meta.url);
const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A case's files in a folder of their own, which goes when the test ends. */
async function placed({ rules, events, placeholders }: Omit<Case, "id" | "expected">) {
  const dir = await mkdtemp(join(tmpdir(), "match-"));
  await Promise.all(rules.map((text, i) => writeFile(join(dir, `${i}.yml`), text)));
  await writeFile(join(dir, "events.ndjson"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  await writeFile(join(dir, "placeholders.json"), JSON.stringify(placeholders ?? {}));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

async function matched(each: Case): Promise<{ code: number; lines: readonly Line[]; remarks: readonly string[] }> {
  await using files = await placed(each);
  const lines: Line[] = [];
  const remarks: string[] = [];
  const code = await runMatch(
    [join(files.dir, "events.ndjson")],
    {
      rules: [files.dir],
      flat: true,
      routing: false,
      placeholders: join(files.dir, "placeholders.json"),
      timezone: "UTC",
    },
    (text) => lines.push(JSON.parse(text)),
    (text) => remarks.push(text),
  );
  return { code, lines, remarks };
}

test("every conformance case holds through the command", async () => {
  for (const text of (await readFile(FIXTURE, "utf8")).trim().split("\n")) {
    const each: Case = JSON.parse(text);
    const { code, lines, remarks } = await matched(each);
    for (const expected of each.expected) {
      expect(code, each.id).toBe(expected.rejected === true ? 2 : 0);
      if (expected.rejected === true) expect(remarks.join("\n")).toContain(`"${expected.rule}"`);
      const mine = lines.filter(({ rule }) => rule === expected.rule);
      if (expected.matchedEventIndexes !== undefined)
        expect(
          mine.map(({ event }) => event),
          each.id,
        ).toEqual(expected.matchedEventIndexes);
      if (expected.fired !== undefined) expect(mine[0]?.event ?? null, each.id).toBe(expected.firstFiredAtIndex);
      for (const { key, firstFiredAtIndex } of expected.groups ?? [])
        expect(mine, each.id).toContainEqual(expect.objectContaining({ group: key, event: firstFiredAtIndex }));
    }
  }
});

const rule = (title: string, id: number | bigint): string =>
  `title: ${title}\nlogsource: { product: windows }\ndetection: { sel: { EventID: ${id} }, condition: sel }\n`;

test("integers of 64 bits keep their digits", async () => {
  await using files = await placed({
    rules: [rule("own", 9232379236109516800n), rule("neighbour", 9232379236109516801n)],
    events: [],
  });
  await writeFile(join(files.dir, "events.ndjson"), '{"EventID":9232379236109516800}');
  const titles: string[] = [];
  await runMatch(
    [join(files.dir, "events.ndjson")],
    { rules: [files.dir], flat: true, routing: false, timezone: "UTC" },
    (text) => titles.push(JSON.parse(text).rule),
    () => undefined,
  );
  expect(titles).toEqual(["own"]);
});

test("times of flat events are read with their zone, the one that was named, or as a number", async () => {
  const stamps = [
    "2026-03-02T10:00:00",
    "2026-03-02 09:00:00.5Z",
    "2026-03-02T10:00:00+01:00",
    1772442000,
    1772442000000,
  ];
  await using files = await placed({
    rules: [rule("any", 1)],
    events: [...stamps, 1500, 1e25].map((stamp) => ({ EventID: 1, "@timestamp": stamp })),
  });
  const at: string[] = [];
  const options = { rules: [files.dir], flat: true, routing: false, timezone: "Europe/Oslo" };
  await runMatch(
    [join(files.dir, "events.ndjson")],
    options,
    (text) => at.push(JSON.parse(text).at),
    () => undefined,
  );
  expect(at.splice(-2)).toEqual(["1970-01-01T00:00:01.500Z", "1970-01-01T00:00:00.000Z"]);
  expect(at).toEqual(["00.000", "00.500", "00.000", "00.000", "00.000"].map((end) => `2026-03-02T09:00:${end}Z`));
});

test("a path after --rules is input, and --rules may be given again", async () => {
  await using files = await placed({
    rules: [rule("one", 1), rule("two", 2)],
    events: [{ EventID: 2 }, { EventID: 1 }],
  });
  const [one, two, events] = ["0.yml", "1.yml", "events.ndjson"].map((name) => join(files.dir, name)) as [
    string,
    string,
    string,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[MAIN, "match", "--flat", "--rules", one, "--rules", two, events],
  ]);
  const lines = stdout.trim().split("\n");
  expect(lines.map((line) => [JSON.parse(line).rule, JSON.parse(line).event])).toEqual([
    ["two", 0],
    ["one", 1],
  ]);
});
