/** The shared corpus, where it is there: real files, with counts that another parser gave. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readEvtx, toXml } from "./index.ts";
import { plainRecord } from "./testing/plain.ts";

const CORPORA = fileURLToPath(new URL("../../../../shared/corpora/", import.meta.url));
const hasCorpora = existsSync(`${CORPORA}INDEX.md`);
if (!hasCorpora) console.log("left out: EVTX corpus tests (no shared corpora beside the repository)");

interface Entry {
  readonly path: string;
  readonly records: number;
  readonly bad: number;
  readonly kindCount: number;
  /** The most frequent kinds, as `provider/id` and count. */
  readonly kinds: ReadonlyMap<string, number>;
}

function readIndex(): Entry[] {
  const entries: Entry[] = [];
  for (const line of readFileSync(`${CORPORA}INDEX.md`, "utf8").split("\n")) {
    const path = /^- `([^`]+)` \(\d+ bytes, evtx\)/.exec(line)?.[1];
    const counts = /(\d+) records, (\d+) bad/.exec(line);
    if (path === undefined || counts === null) continue;
    const kinds = /(\d+) kinds: (.*)$/.exec(line);
    const listed = (kinds?.[2] ?? "").split(", ").map((kind) => kind.split(" ×"));
    entries.push({
      path,
      records: Number(counts[1]),
      bad: Number(counts[2]),
      kindCount: Number(kinds?.[1] ?? 0),
      kinds: new Map(listed.filter((kind) => kind.length === 2).map(([kind, count]) => [kind ?? "", Number(count)])),
    });
  }
  return entries;
}

const entries = hasCorpora ? readIndex() : [];

describe.runIf(hasCorpora)("the corpus", () => {
  test("has its 21,206 records in the index", () => {
    expect(entries.reduce((sum, entry) => sum + entry.records, 0)).toBe(21_206);
  });

  test.each(entries.map((entry) => [entry.path, entry] as const))(
    "%s gives the records and kinds of the index",
    (_, entry) => {
      const kinds = new Map<string, number>();
      let records = 0;
      let failures = 0;
      for (const item of readEvtx(readFileSync(CORPORA + entry.path))) {
        if (!item.ok) {
          failures += 1;
          continue;
        }
        records += 1;
        const kind = `${item.record.provider}/${item.record.eventId}`;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      expect(records).toBe(entry.records);
      expect(kinds.size).toBe(entry.kindCount);
      for (const [kind, count] of entry.kinds) expect([kind, kinds.get(kind)]).toEqual([kind, count]);
      expect(failures).toBeGreaterThanOrEqual(entry.bad);
    },
  );

  test("reads alike by programs and by trees, and renders", () => {
    let compared = 0;
    for (const entry of entries) {
      for (const item of readEvtx(readFileSync(CORPORA + entry.path), { crc32: false })) {
        if (!item.ok) continue;
        compared += 1;
        expect(item.record).toEqual(plainRecord(item.record));
        expect(toXml(item.record)).toMatch(/^<Event[ >]/);
      }
    }
    expect(compared).toBe(21_206);
  });
});
