/**
 * Real samples that nobody on this project wrote, read beside the repository where they are: every record that the corpus'
 * index counts, every text and JSON sample with its events, and each exception with its reason.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { decodeBytes } from "./decode-bytes.ts";
import type { DecodedItem } from "./decoding.ts";
import { identityOf, RECEIVED_AT } from "./test-support.ts";

const CORPORA = fileURLToPath(new URL("../../../../shared/corpora", import.meta.url));
const here = existsSync(CORPORA);
if (!here) console.log("left out: decoding of the development corpus (../shared/corpora is not here)");

function decodeFile(path: string): DecodedItem[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return [...decodeBytes(readFileSync(join(CORPORA, path)), { zone: "utc", receivedAt: RECEIVED_AT, path: name })];
}

function filesOf(pattern: RegExp): string[] {
  if (!here) return [];
  const all = readdirSync(CORPORA, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
  return all.filter((path) => pattern.test(path)).sort();
}

const eventsIn = (items: readonly DecodedItem[]): number => items.filter((item) => item.event !== undefined).length;

/** `path` → records and kinds that the index states. */
function counted(): Map<string, { records: number; kinds: readonly (readonly [string, number])[] }> {
  const stated = new Map<string, { records: number; kinds: (readonly [string, number])[] }>();
  if (!here) return stated;
  for (const line of readFileSync(join(CORPORA, "INDEX.md"), "utf8").split("\n")) {
    const match = /^- `([^`]+)` .*? (\d+) (?:records|documents)\b(.*)$/.exec(line);
    if (match === null) continue;
    const kinds = Array.from(
      (match[3] ?? "").matchAll(/(?:[:,;] |kinds: )([^,:;×]*\/\d+) ×(\d+)/g),
      (kind) => [kind[1] as string, Number(kind[2])] as const,
    );
    stated.set(match[1] as string, { records: Number(match[2]), kinds });
  }
  return stated;
}

describe("files whose records the index counts", () => {
  const stated = counted();
  test.runIf(here)("there are such files, binary and JSON", () => {
    expect([...stated.keys()].filter((path) => path.endsWith(".evtx")).length).toBeGreaterThan(40);
    expect([...stated.keys()].filter((path) => path.endsWith(".json")).length).toBeGreaterThan(10);
    expect([...stated.values()].reduce((sum, { kinds }) => sum + kinds.length, 0)).toBeGreaterThan(200);
  });
  test.runIf(here).each([...stated])("%s", (path, { records, kinds }) => {
    const items = decodeFile(path);
    expect(eventsIn(items)).toBe(records);
    const found = new Map<string, number>();
    for (const { event } of items) {
      if (event === undefined) continue;
      const kind = `${event.provider}/${event.eventId}`;
      found.set(kind, (found.get(kind) ?? 0) + 1);
    }
    for (const [kind, count] of kinds) expect([kind, found.get(kind)]).toEqual([kind, count]);
  });
});

/** Samples that give fewer events than records, and why. */
const EXPLAINED: Readonly<Record<string, string>> = {
  "cea-sec-openwec/FAILED_TO_FEED_EVENT.xml": "event.id-missing: its EventID element is renamed",
  "cea-sec-openwec/UNRECOVERABLE_2.xml": "xml.no-event: 21 bytes of a start tag",
  "ms-supportarticles/cluster-1135.txt": "event.provider-missing: an article that names an id and no source",
  "ms-supportarticles/vss-12289.txt": "event.provider-missing: an article that names an id and no source",
  "ossec-hids/decoder-comment-samples.txt": "snare.fields-missing: three lines end behind the criticality",
  "pasted-in-issues/scm-7034-oneline-winsw-788.txt": "format.unknown: a source and a text, no id",
  "pasted-in-issues/vss-8194-german-duplicati-1297.txt": "format.unknown: a description alone",
  "pasted-in-issues/vss-createfile-openzfs-406.txt": "format.unknown: a description alone",
};

const SAMPLES =
  /^(?:cea-sec-openwec|elastic-beats|ms-supportarticles|omerbenamram-evtx|open-xp-rules|ossec-hids|OTRF-Security-Datasets|pasted-in-issues|rsyslog|SigmaHQ-regression|splunk-attack_data|wazuh-ruleset)\/.*\.(?:txt|json|xml|log|csv|raw|snap)$/;

describe("text and JSON samples", () => {
  const paths = filesOf(SAMPLES).filter((path) => !/LICENSE/.test(path));
  test.runIf(here)("there are such samples", () => expect(paths.length).toBeGreaterThan(120));
  test.runIf(here).each(paths)("%s", (path) => {
    const items = decodeFile(path);
    const reasons = new Set(items.flatMap((item) => (item.failure === undefined ? [] : [item.failure.reason])));
    const explained = EXPLAINED[path];
    if (explained !== undefined) {
      expect([...reasons]).toEqual([explained.split(":")[0]]);
    } else if (path.endsWith(".snap")) {
      // The lines above the record are those of a snapshot tool.
      expect([eventsIn(items), ...reasons]).toEqual([1, "format.unknown"]);
    } else {
      expect([...reasons]).toEqual([]);
      expect(eventsIn(items)).toBeGreaterThan(0);
    }
  });
  test.runIf(here)("lines of one event each give one event each", () => {
    expect(eventsIn(decodeFile("wazuh-ruleset/windows-decoder-comment-samples.txt"))).toBe(42);
    expect(eventsIn(decodeFile("ossec-hids/decoder-comment-samples.txt"))).toBe(7);
    expect(eventsIn(decodeFile("splunk-attack_data/certutil_exe_certificate_extraction.raw"))).toBe(59);
  });
});

describe("one event, two ways", () => {
  test.runIf(here)("Winlogbeat's documents have the identity of the log that they were made of", () => {
    for (const name of ["security-1100", "security-1104"]) {
      const identities = ["golden.json", "evtx"].map((kind) => {
        const [item] = decodeFile(`elastic-beats/xpack-golden/${name}.${kind}`);
        if (item?.event === undefined) throw new Error(name);
        const { values: _, ...identity } = identityOf(item.event) as Record<string, unknown>;
        return identity;
      });
      expect(identities[0]).toEqual(identities[1]);
    }
  });
});

describe("selection over the corpus", () => {
  /** Ids that rules want; everything else may be passed over. */
  const wantedIds = new Set([41, 6008, 1001, 7031, 7036, 4689, 4798, 4104, 13, 1, 51, 8193]);
  const selection = {
    wants: (_provider: string | undefined, _channel: string | undefined, id: number) => wantedIds.has(id),
  };
  const paths = filesOf(/\.(?:evtx|Evt|json|xml|txt|raw)$/).filter((path) => !/LICENSE/.test(path));
  test.runIf(here).each(paths)("nothing wanted is passed over in %s", (path) => {
    const bytes = readFileSync(join(CORPORA, path));
    const options = { zone: "utc", receivedAt: RECEIVED_AT };
    const keyOf = (item: DecodedItem): string => `${item.source.offset} ${item.event?.eventId} ${item.event?.recordId}`;
    const wanted = (items: Iterable<DecodedItem>): string[] =>
      Array.from(items)
        .filter((item) => item.event !== undefined && wantedIds.has(item.event.eventId))
        .map(keyOf);
    expect(wanted(decodeBytes(bytes, { ...options, selection }))).toEqual(wanted(decodeBytes(bytes, options)));
  });
});
