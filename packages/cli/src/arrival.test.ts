import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRuleMatcher, type Offline } from "@culprit/correlator";
import { knowledgeSelection } from "@culprit/rules";
import { expect, test } from "vitest";
import { createArrivals } from "./arrival.ts";
import { decodeInput } from "./decode-input.ts";
import { type InputFile, inputFiles } from "./input-files.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "./knowledge-files.ts";

const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
const matcher = createRuleMatcher(knowledge);
const selection = knowledgeSelection(knowledge);

/** What the chain is given of these files, and how many records were not decoded for it. */
async function fed(files: readonly InputFile[], selects: boolean): Promise<{ calls: unknown[]; undecoded: number }> {
  const arrivals = createArrivals(matcher, knowledge.tables);
  let undecoded = 0;
  const decoded = decodeInput(files, {
    zone: "utc",
    now: Date.UTC(2026, 0, 1),
    onFailure: () => {},
    ...(selects
      ? {
          selection,
          canDoWithout: (shown, path) => {
            const can = arrivals.addUnwanted(shown, path);
            undecoded += can ? 1 : 0;
            return can;
          },
        }
      : {}),
  });
  for await (const { event, source } of decoded) arrivals.add(event, source.path);
  const calls: unknown[] = [arrivals.eventCount];
  const note = (...call: unknown[]): void => void calls.push(call);
  arrivals.feed({ event: note, coverage: note } as unknown as Offline);
  return { calls, undecoded };
}

const fileOf = (text: string): InputFile => ({
  path: "a.ndjson",
  open: async function* () {
    yield Buffer.from(text);
  },
});

function logon(n: number, more: { id?: number; host?: string; created?: string; at?: string } = {}): string {
  const {
    id = 4624,
    host = "dc1.contoso.com",
    created,
    at = `2024-03-01T10:${String(n).padStart(2, "0")}:00.5Z`,
  } = more;
  return JSON.stringify({
    "@timestamp": at,
    event: { code: String(id), ...(created === undefined ? {} : { created }) },
    winlog: {
      channel: "Security",
      computer_name: host,
      event_id: String(id),
      provider_name: "Microsoft-Windows-Security-Auditing",
      record_id: n,
    },
  });
}

test("the chain is given the same whether records that no rule wants are decoded or not", async () => {
  const lines = [
    logon(1),
    logon(2, { created: "2024-03-01T10:02:09Z" }),
    logon(3, { id: 4740 }),
    logon(4, { host: "DC2.Contoso.com." }),
    logon(5, { created: "not a time" }),
    logon(7, { created: "2023-03-01T10:00:00Z" }),
    logon(8, { at: "2024-03-01 10:08:00" }),
    logon(9, { host: "" }),
    logon(10, { created: "2024-03-01T12:10:00+01:00" }),
  ];
  const files = [fileOf(lines.map((line) => `${line}\n`).join(""))];
  const selected = await fed(files, true);
  expect(selected.calls).toEqual((await fed(files, false)).calls);
  expect(selected.undecoded).toBe(4);
});

const SHARED = fileURLToPath(new URL("../../../../shared/", import.meta.url));
const LARGE_BYTES = 512 * 1024;

test.runIf(existsSync(SHARED))("so it is for the files of the corpora", { timeout: 120_000 }, async () => {
  const paths = globSync(
    "corpora/{elastic-beats,cea-sec-openwec,wazuh-ruleset,splunk-attack_data,pasted-in-issues}/**",
    {
      cwd: SHARED,
    },
  ).filter((path) => /\.(?:json|jsonl|ndjson|xml|log|txt)$/.test(path) && statSync(SHARED + path).size < LARGE_BYTES);
  expect(paths.length).toBeGreaterThan(10);
  for (const path of paths) {
    const files = await inputFiles([SHARED + path]);
    const [selected, all] = [await fed(files, true), await fed(files, false)];
    expect(selected.calls, path).toEqual(all.calls);
  }
});
interface Scenario {
  readonly id: string;
  readonly t0: string;
  readonly events: readonly {
    readonly offsetSeconds: number;
    readonly deliverOffsetSeconds?: number;
    readonly computer: string;
    readonly channel: string;
    readonly provider: string;
    readonly eventId: number;
    readonly data?: object;
    readonly message?: string;
  }[];
}

/** The events of a scenario as Winlogbeat sends them, each followed by a logon that no rule wants. */
function linesOf({ t0, events }: Scenario): string {
  const iso = (seconds: number): string => new Date(Date.parse(t0) + seconds * 1_000).toISOString();
  const lines = events.map((event, n) => {
    const { computer, channel, provider, eventId, data, message, offsetSeconds, deliverOffsetSeconds } = event;
    const document = (of: object, stamp: object): string =>
      JSON.stringify({
        "@timestamp": iso(offsetSeconds),
        event: stamp,
        message: message ?? "",
        winlog: { computer_name: computer, record_id: String(n + 1), ...of },
      });
    const stamp = deliverOffsetSeconds === undefined ? {} : { created: iso(deliverOffsetSeconds) };
    const wanted = { channel, provider_name: provider, event_id: String(eventId), event_data: data ?? {} };
    const logon = { channel: "Security", provider_name: "Microsoft-Windows-Security-Auditing", event_id: "4624" };
    return `${document(wanted, stamp)}\n${document(logon, stamp)}\n`;
  });
  return lines.join("");
}

test.runIf(existsSync(SHARED))("so it is for the scenarios", { timeout: 120_000 }, async () => {
  const text = readFileSync(`${SHARED}domain/scenarios-dev.jsonl`, "utf8");
  const scenarios = text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Scenario]));
  for (const scenario of scenarios) {
    const files = [fileOf(linesOf(scenario))];
    const [selected, all] = [await fed(files, true), await fed(files, false)];
    expect(selected.calls, scenario.id).toEqual(all.calls);
    expect(selected.undecoded, scenario.id).toBeGreaterThan(0);
  }
});
if (!existsSync(SHARED)) console.log("left out: selection over the corpora and the scenarios, which are not here");
