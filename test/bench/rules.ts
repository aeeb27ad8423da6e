/**
 * How fast rules match: records and bytes a second over NDJSON, as a multiple of reading the same lines with JSON.parse,
 * with few rules, with many, and with correlations; and beside rsigma, where that is installed.
 *
 * Events and rules are made here, the same on every run: Sysmon and Security records in the shape of flat JSON exports, and
 * rules that ask of them what public Windows rules ask (endings of images, parts of command lines, event ids, filters).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CompiledRule,
  compileRules,
  createCorrelator,
  jsonSource,
  type Ruleset,
} from "../../packages/rules/src/index.ts";
import type { BenchFigure, BenchResult } from "./evtx.ts";

const RECORDS = 60_000;
const MANY_RULES = 2_400;
const FEW_RULES = 20;
const OWN = "our own detections";

/** Measures; where rsigma is not installed it says so, and the ratio to JSON.parse stands alone. */
export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  const leftOut: string[] = [];
  const add = (name: string, value: number, unit: BenchFigure["unit"]): void => {
    figures.push({ name, value, unit });
    print(`rules: ${name}: ${value.toFixed(unit === "ratio" ? 2 : 0)} ${unit}`);
  };
  const program = rsigmaProgram();
  if (program === undefined) {
    leftOut.push("rsigma is not installed");
    print("rules: left out: rsigma is not installed");
  }
  const lines = makeLines(RECORDS);
  const megabytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0) / 1e6;
  const parse = secondsOf(() => {
    for (const line of lines) JSON.parse(line);
  });
  add("JSON.parse alone", RECORDS / parse, "records/s");
  let fewTheirs: number | undefined;
  for (const [name, texts] of ruleSets()) {
    const { ruleset } = compileRules(texts.map((text, i) => ({ file: `${i}.yml`, text })));
    if (ruleset === undefined) continue;
    const seconds = secondsOf(() => matchLines(ruleset, lines));
    add(`${name}`, RECORDS / seconds, "records/s");
    add(`${name}`, megabytes / seconds, "MB/s");
    add(`${name}, time as a multiple of JSON.parse`, seconds / parse, "ratio");
    const theirs = program === undefined ? undefined : rsigmaSeconds(program, texts, lines);
    fewTheirs ??= theirs;
    if (theirs !== undefined) add(`${name}, times as fast as rsigma`, theirs / seconds, "ratio");
    if (fewTheirs !== undefined && name === OWN) {
      add(`${name}, times as fast as rsigma with ${FEW_RULES} rules`, fewTheirs / seconds, "ratio");
    }
  }
  return { bench: "rules", figures, leftOut };
}

function ruleSets(): readonly (readonly [string, readonly string[]])[] {
  return [
    [`${FEW_RULES} rules`, makeRules(FEW_RULES)],
    [`${MANY_RULES} rules`, makeRules(MANY_RULES)],
    [OWN, ownDetections()],
    ["2 correlations by computer", CORRELATIONS],
  ];
}

/** Reads, matches and correlates; yields how many matches and firings there were. */
function matchLines(ruleset: Ruleset, lines: readonly string[]): number {
  let results = 0;
  const correlator = createCorrelator<number>(ruleset);
  lines.forEach((line, ref) => {
    const event = JSON.parse(line) as { "@timestamp": string };
    const source = jsonSource(event);
    const rules: CompiledRule[] = [];
    ruleset.match(source, (rule) => {
      if (rule.emits) results += 1;
      rules.push(rule);
    });
    results += correlator.accept({ rules, source, at: Date.parse(event["@timestamp"]), ref }).length;
  });
  return results;
}

/** The better of two runs; the first also warms up. */
function secondsOf(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i += 1) {
    const started = performance.now();
    work();
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  return best;
}

function rsigmaProgram(): string | undefined {
  const installed = join(homedir(), ".cargo/bin/rsigma");
  if (existsSync(installed)) return installed;
  return spawnSync("rsigma", ["--version"]).status === 0 ? "rsigma" : undefined;
}

/** The same rules and lines through rsigma, start and loading of rules taken off; `undefined` where it fails. */
function rsigmaSeconds(program: string, texts: readonly string[], lines: readonly string[]): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), "rules-bench-"));
  try {
    const rules = join(folder, "rules.yml");
    writeFileSync(rules, texts.join("---\n"));
    const secondsFor = (name: string, content: readonly string[]): number | undefined => {
      const events = join(folder, name);
      writeFileSync(events, `${content.join("\n")}\n`);
      const started = performance.now();
      const ran = spawnSync(
        program,
        ["engine", "eval", "--quiet", "--logsource-routing", "--rules", rules, "--event", `@${events}`],
        {
          maxBuffer: 1 << 30,
        },
      );
      return ran.error === undefined && ran.status !== null && ran.status < 2
        ? (performance.now() - started) / 1000
        : undefined;
    };
    const all = secondsFor("all.ndjson", lines);
    const start = secondsFor("one.ndjson", lines.slice(0, 1));
    return all === undefined || start === undefined ? undefined : all - start;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const IMAGES = [
  "svchost",
  "cmd",
  "powershell",
  "explorer",
  "msedge",
  "MsMpEng",
  "conhost",
  "rundll32",
  "sqlservr",
  "w3wp",
  "schtasks",
  "net",
];
const WORDS = [
  "-k netsvcs",
  "/c dir",
  "-NoProfile -File c:\\ops\\run.ps1",
  "--type=renderer",
  "delete shadows /all",
  "user admin /add",
  "-p -s Schedule",
  "0xffffffff -ForceV1",
];

const SYSMON_CATEGORIES: Readonly<Record<number, string>> = {
  1: "process_creation",
  3: "network_connection",
  7: "image_load",
  10: "process_access",
  11: "file_event",
  12: "registry_add",
  13: "registry_set",
  22: "dns_query",
};

/** Numbers that look random and are the same on every run. */
function* numbers(): Generator<number> {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

function makeLines(count: number): string[] {
  const random = numbers();
  const pick = <T>(list: readonly T[]): T => list[(random.next().value as number) % list.length] as T;
  return Array.from({ length: count }, (_, i) => {
    const image = `C:\\Windows\\System32\\${pick(IMAGES)}.exe`;
    const head = {
      "@timestamp": new Date(Date.UTC(2026, 2, 2) + i * 250).toISOString(),
      // Our own routing needs no such fields; rsigma routes by them.
      product: "windows",
      Computer: `host${(random.next().value as number) % 40}.contoso.com`,
      EventRecordID: 1_000_000 + i,
    };
    if (i % 10 < 6) {
      const EventID = pick([1, 1, 3, 7, 10, 11, 12, 13, 22]);
      return JSON.stringify({
        ...head,
        category: SYSMON_CATEGORIES[EventID],
        Channel: "Microsoft-Windows-Sysmon/Operational",
        Provider_Name: "Microsoft-Windows-Sysmon",
        EventID,
        Image: image,
        ParentImage: `C:\\Windows\\System32\\${pick(IMAGES)}.exe`,
        CommandLine: `"${image}" ${pick(WORDS)} ${(random.next().value as number).toString(16)}`,
        OriginalFileName: `${pick(IMAGES)}.exe`,
        User: "CONTOSO\\svc-app",
        TargetFilename: `C:\\Users\\svc\\AppData\\Local\\Temp\\${(random.next().value as number).toString(36)}.tmp`,
        TargetObject: `HKLM\\System\\CurrentControlSet\\Services\\bam\\State\\${i % 97}`,
        Hashes: "SHA256=9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
      });
    }
    return JSON.stringify({
      ...head,
      service: i % 10 < 9 ? "security" : "system",
      Channel: i % 10 < 9 ? "Security" : "System",
      Provider_Name: i % 10 < 9 ? "Microsoft-Windows-Security-Auditing" : "Service Control Manager",
      EventID: i % 10 < 9 ? pick([4624, 4625, 4634, 4672, 4688, 5156, 4663, 4658]) : pick([7036, 7040, 7045]),
      SubjectUserName: `user${i % 300}`,
      TargetUserName: `user${(random.next().value as number) % 300}`,
      LogonType: pick([2, 3, 5, 10]),
      IpAddress: `10.${i % 4}.${i % 250}.${(random.next().value as number) % 250}`,
      ProcessName: image,
      ServiceName: pick(["BITS", "wuauserv", "Spooler"]),
    });
  });
}

const CATEGORIES = [
  "process_creation",
  "process_creation",
  "process_creation",
  "registry_set",
  "file_event",
  "image_load",
  "network_connection",
  "dns_query",
];

/** One rule in ten looks for something that is usual; the others, as most public rules, for something that is not. */
function makeRules(count: number): string[] {
  const random = numbers();
  const pick = <T>(list: readonly T[]): T => list[(random.next().value as number) % list.length] as T;
  const word = (): string => (random.next().value as number).toString(36);
  return Array.from({ length: count }, (_, i) => {
    const head = `title: bench ${i}\nid: ${String(i).padStart(8, "0")}-0000-4000-8000-000000000000\nstatus: test\nlevel: medium\n`;
    if (i % 5 === 4) {
      return `${head}logsource: { product: windows, service: security }\ndetection:\n  sel:\n    EventID: ${4600 + (i % 300)}\n    TargetUserName|endswith: '${word()}'\n  condition: sel\n`;
    }
    const category = pick(CATEGORIES);
    const field =
      category === "registry_set" ? "TargetObject" : category === "file_event" ? "TargetFilename" : "CommandLine";
    return [
      `${head}logsource: { product: windows, category: ${category} }`,
      "detection:",
      "  img:",
      `    - Image|endswith: ['\\${pick(IMAGES)}.exe', '\\${word()}.exe']`,
      `    - OriginalFileName: '${word()}.exe'`,
      "  cli:",
      `    ${field}|contains${i % 3 === 0 ? "|all" : ""}: [' ${word()}', '${i % 10 === 0 ? pick(WORDS) : word()}', '${word()}']`,
      `  filter_main:`,
      `    ParentImage|startswith: 'C:\\Program Files\\${word()}\\'`,
      `  condition: ${i % 3 === 0 ? "all of img* and cli" : "img and cli"} and not 1 of filter_*`,
      "",
    ].join("\n");
  });
}

const CORRELATIONS = [
  "title: failed\nname: failed\nlogsource: { product: windows, service: security }\ndetection: { sel: { EventID: 4625 }, condition: sel }\n",
  "title: logon\nname: logon\nlogsource: { product: windows, service: security }\ndetection: { sel: { EventID: 4624 }, condition: sel }\n",
  "title: many\nname: many\ncorrelation: { type: event_count, rules: [failed], group-by: [Computer], timespan: 10m, condition: { gte: 5 } }\n",
  "title: then\ncorrelation: { type: temporal_ordered, rules: [failed, logon], group-by: [Computer], timespan: 1m }\n",
];

function ownDetections(): string[] {
  const folder = new URL("../../packages/knowledge/detections/", import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"));
}
