/**
 * Bad inputs of RELIABILITY.md that more than one package has to stand: logs in binary over HTTP, rules and playbooks by
 * their public face. The other ids are beside the code that meets them.
 */
import { createDecoder } from "@culprit/formats";
import { compileKnowledge, compileRules, diagnosticText } from "@culprit/rules";
import { describe, expect, test } from "vitest";
import { dataTemplate, eventTemplate, serviceEvent } from "../packages/evtx/src/testing/events.ts";
import { ChunkWriter, element, fileOf, substitution, type TemplateSpec } from "../packages/evtx/src/testing/writer.ts";
import { equation, post, run } from "../services/ingest/src/test-kit.ts";

const SERVICE = eventTemplate("Service Control Manager", substitution(17, true));
const PARAMETERS = dataTemplate("param1", "param2");

function chunk(firstId: bigint, loop = false): Uint8Array {
  const writer = new ChunkWriter(firstId);
  for (let n = 0n; n < 2n; n += 1n) writer.record(serviceEvent(SERVICE, PARAMETERS, { recordId: firstId + n }));
  const endless: TemplateSpec = { root: [element("Event", {}, { write: (w) => w.instance(endless, []) })] };
  if (loop) writer.record({ id: firstId + 2n, template: endless, values: [] });
  return writer.finish();
}

function changed(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return bytes;
}

const sound = (): Uint8Array => fileOf(chunk(1n), chunk(3n), chunk(5n));
const SECOND = 4_096 + 65_536;

describe("binary logs over HTTP", () => {
  test.each<[string, Uint8Array, number, readonly string[]]>([
    ["nothing wrong", sound(), 6, []],
    ["a bad header", sound().fill(0x41, 8, 128), 6, ["evtx.file-header"]],
    [
      "a wrong checksum in a chunk",
      changed(sound(), (v) => v.setUint32(SECOND + 52, 1, true)),
      6,
      ["evtx.chunk-checksum"],
    ],
    ["a chunk that is none", sound().fill(0x41, SECOND, SECOND + 65_536), 4, ["evtx.chunk-magic"]],
    ["a template that holds itself", fileOf(chunk(1n, true), chunk(4n)), 4, ["evtx.limit"]],
    ["an end that was cut off", sound().subarray(0, SECOND + 65_536 + 600), 4, ["evtx.cut-chunk"]],
  ])(
    "B38 a log with %s: the sound records are events, the rest is told with its offset",
    async (_, log, count, reasons) => {
      await using running = await run();
      const answer = await post(`${running.url}/ingest`, log);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ events: count, deadLetters: reasons.length });
      const letters = await running.letters();
      expect(letters.map(({ reason }) => reason)).toEqual(reasons);
      for (const { offset } of letters) expect(offset).toBeGreaterThanOrEqual(0);
      expect((await running.events()).map(({ format }) => format)).toEqual(Array(count).fill("evtx"));
      expect(await equation(running)).toMatchObject({ accepted: count + reasons.length });
    },
  );

  test("B38 a log above the limit of a body is 413, and nothing of it is kept", async () => {
    await using running = await run({ config: { bodyMaxBytes: 100_000 } });
    expect((await post(`${running.url}/ingest`, sound())).status).toBe(413);
    expect([...(await running.events()), ...(await running.letters())]).toEqual([]);
  });

  test("B38 a log of any length is read in bounded memory", () => {
    const [header, body] = [fileOf(), fileOf(chunk(1n), chunk(3n)).subarray(4_096)];
    const decoder = createDecoder({ zone: "UTC", receivedAt: 0 });
    const before = process.memoryUsage().rss;
    let events = 0;
    const count = (items: Iterable<unknown>): void => {
      for (const _ of items) events += 1;
    };
    count(decoder.push(header));
    for (let n = 0; n < 3_000; n += 1) count(decoder.push(body));
    count(decoder.end());
    expect(events).toBeGreaterThanOrEqual(12_000);
    // 390 MB went through.
    expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000);
  });
});

const rule = (detection: string): string =>
  `title: t\nlogsource: { product: windows }\ndetection:\n  event:\n    ${detection}\n  condition: event\n`;
const problems = (text: string): string =>
  compileRules([{ file: "r.yml", text }])
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(diagnosticText)
    .join("\n");

describe("rules", () => {
  test.each([
    ["lookahead", "'(?=a)b'"],
    ["lookbehind", "'(?<!a)b'"],
    ["a back reference", "'(a)\\1'"],
    ["10 kB of pattern", `'${"(a|b)".repeat(2_000)}'`],
    ["repeats of repeats beyond count", "'((a{1,1000}){1,1000}){1,1000}'"],
  ])("B41 a regular expression with %s is refused with its place", (_, pattern) => {
    expect(problems(rule(`F|re: ${pattern}`))).toMatch(/^r\.yml:5:.*/m);
  });

  test.each([
    [
      "aliases that multiply",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${Array(9).fill("*a")}]\nc: &c [${Array(9).fill("*b")}]\nd: &d [${Array(9).fill("*c")}]\ne: [${Array(9).fill("*d")}]\n`,
    ],
    ["a tag of its own", rule("F: !!python/object x")],
    ["a key twice", rule("F: 1\n    F: 2")],
    ["a tab", rule("F: 1").replace("    F", "\tF")],
    ["10 MB", `${rule("F: 1")}# ${"x".repeat(10_000_000)}`],
  ])("B42 YAML with %s is refused with file and line", (_, text) => {
    expect(problems(text)).toMatch(/^r\.yml:\d+/);
  });
});

const PLAYBOOK = `playbook: 1
id: p
version: 1
title: 'On {host}'
severity: high
layer: storage
signals: { failed: { rule: disk_failed } }
open: { when: failed }
collect: { before: 30m, after: 10m }
causes:
  - { id: worn, title: Worn, summary: s, prior: 0.4, evidence: [{ signal: failed, for: strong }], actions: [Replace] }
unknown: { prior: 0.6 }
`;
const DETECTION = `${rule("EventID: 7").replace("title: t", "title: t\nname: disk_failed")}x-culprit: { say: 'a disk failed' }\n`;

test.each([
  ["collects for no time at all", "{ before: 30m, after: 10m }", "{ before: 0s, after: 0s }"],
  ["collects for a negative time", "before: 30m", "before: -5m"],
  ["collects for ten years", "before: 30m", "before: 3650d"],
  ["opens within no time", "when: failed", "when: count(failed) >= 2 within 0s"],
  ["opens within ten years", "when: failed", "when: count(failed) >= 2 within 3650d"],
])("B43 a playbook that %s is refused with file and line", (_, from, to) => {
  const compile = (text: string): string[] =>
    compileKnowledge({
      detections: [{ file: "d.yaml", text: DETECTION }],
      playbooks: [{ file: "p.yaml", text }],
    }).diagnostics.map(diagnosticText);
  expect(compile(PLAYBOOK)).toEqual([]);
  expect(compile(PLAYBOOK.replace(from, to)).join("\n")).toMatch(/^p\.yaml:[89]: error/m);
});
