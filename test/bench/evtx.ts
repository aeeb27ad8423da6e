/**
 * How fast EVTX files are read, on one core: full decode and selection, against `evtx_dump -t 1 -o jsonl` in the same run.
 * Input: every chunk of the corpus's .evtx files, repeated to `SIZE_MIN` bytes and held in memory. Prints a line per figure.
 *
 * evtx_dump (cargo install evtx) checks no checksums unless told to, so the ratios compare it with reading without them.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { CHUNK_SIZE, FILE_HEADER_SIZE, type FileOptions, isChunk, readEvtx } from "../../packages/evtx/src/index.ts";

const CORPORA = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));
const SIZE_MIN = 256 * 1024 * 1024;
const ROUNDS = 5;

/** What a set of playbooks may want, for the selection: a few kinds of the System log. */
const WANTED: ReadonlySet<string> = new Set([
  "Microsoft-Windows-Kernel-Power/41",
  "Microsoft-Windows-WER-SystemErrorReporting/1001",
  "EventLog/6008",
  "Service Control Manager/7031",
  "disk/153",
  "volsnap/36",
]);

export interface BenchFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: "MB/s" | "records/s" | "ratio" | "MB";
}

export interface BenchResult {
  readonly bench: string;
  readonly figures: readonly BenchFigure[];
  /** Why nothing, or less, was measured. */
  readonly leftOut: readonly string[];
}

/** Measures; without the corpus there is nothing to measure, and it says so. */
export async function run(print: (line: string) => void = console.log): Promise<BenchResult> {
  const figures: BenchFigure[] = [];
  const leftOut: string[] = [];
  const add = (name: string, value: number, unit: BenchFigure["unit"]): void => {
    figures.push({ name, value, unit });
    print(`evtx: ${name}: ${value.toFixed(unit === "ratio" ? 2 : 0)} ${unit}`);
  };
  const skip = (reason: string): void => {
    leftOut.push(reason);
    print(`evtx: left out: ${reason}`);
  };
  const log = corpusLog();
  if (log === undefined) skip("no shared corpora beside the repository");
  else measure(log, add, skip);
  return { bench: "evtx", figures, leftOut };
}

function measure(
  log: Uint8Array,
  add: (name: string, value: number, unit: BenchFigure["unit"]) => void,
  skip: (reason: string) => void,
): void {
  const megabytes = log.length / 1e6;
  const records = read(log, { crc32: false });
  const select = (provider: string, eventId: number): boolean => WANTED.has(`${provider}/${eventId}`);
  const evtxDump = openEvtxDump(log);
  const lines = evtxDump === undefined ? jsonLines(log) : [];
  try {
    const [full, checkedFull, selection, checkedSelection, yardstick] = fastest([
      () => read(log, { crc32: false }),
      () => read(log, { crc32 }),
      () => read(log, { crc32: false, select }),
      () => read(log, { crc32, select }),
      () => (evtxDump === undefined ? parseAll(lines) : evtxDump.run()),
    ]) as [number, number, number, number, number];
    const addSpeed = (name: string, seconds: number): void => {
      add(`${name}, throughput`, megabytes / seconds, "MB/s");
      add(`${name}, rate`, records / seconds, "records/s");
    };
    addSpeed("full decode", full);
    addSpeed("full decode with checksums", checkedFull);
    addSpeed("selection", selection);
    addSpeed("selection with checksums", checkedSelection);
    const against = evtxDump === undefined ? "JSON.parse of the same records" : "evtx_dump";
    if (evtxDump === undefined) skip(`no evtx_dump on PATH or in ~/.cargo/bin; ${against} stands for it`);
    addSpeed(against, yardstick);
    add(`full decode / ${against}`, yardstick / full, "ratio");
    add(`selection / ${against}`, yardstick / selection, "ratio");
  } finally {
    evtxDump?.close();
  }
}

/** Reads a log to its end; the number of its records. */
function read(log: Uint8Array, options: FileOptions): number {
  let records = 0;
  for (const item of readEvtx(log, options)) if (item.ok) records += 1;
  return records;
}

/**
 * Seconds of the fastest run of each. They take turns, so that whatever else the machine does meets all of them; the fastest
 * is the same work with the least of it.
 */
function fastest(works: readonly (() => unknown)[]): number[] {
  const seconds = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [i, work] of works.entries()) {
      const start = performance.now();
      work();
      seconds[i] = Math.min(seconds[i] as number, (performance.now() - start) / 1_000);
    }
  }
  return seconds;
}

/** One log of all chunks of the corpus, as often as it takes. */
function corpusLog(): Uint8Array | undefined {
  const files = globSync("**/*.evtx", { cwd: CORPORA })
    .sort()
    .map((path) => readFileSync(CORPORA + path));
  const [first] = files;
  if (first === undefined) return undefined;
  const chunks = files.flatMap(chunksOf);
  const repeats = Math.ceil(SIZE_MIN / (chunks.length * CHUNK_SIZE));
  const log = new Uint8Array(FILE_HEADER_SIZE + repeats * chunks.length * CHUNK_SIZE);
  log.set(first.subarray(0, FILE_HEADER_SIZE));
  new DataView(log.buffer).setUint16(42, repeats * chunks.length, true);
  for (let i = 0; i < repeats * chunks.length; i += 1) {
    log.set(chunks[i % chunks.length] as Uint8Array, FILE_HEADER_SIZE + i * CHUNK_SIZE);
  }
  return log;
}

function chunksOf(file: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = FILE_HEADER_SIZE; at + CHUNK_SIZE <= file.length; at += CHUNK_SIZE) {
    if (isChunk(file, at)) chunks.push(file.subarray(at, at + CHUNK_SIZE));
  }
  return chunks;
}

/** evtx_dump on a file of its own, or `undefined` where it is not installed. */
function openEvtxDump(log: Uint8Array): { run: () => void; close: () => void } | undefined {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), join(homedir(), ".cargo", "bin")];
  const command = directories.map((directory) => join(directory, "evtx_dump")).find((path) => existsSync(path));
  if (command === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "evtx-bench-"));
  const path = join(folder, "log.evtx");
  writeFileSync(path, log);
  // Without backtraces, of which a damaged record would otherwise cost it one.
  const env = { ...process.env, RUST_BACKTRACE: "0" };
  return {
    run: () => {
      spawnSync(command, ["-t", "1", "-o", "jsonl", path], { stdio: "ignore", env });
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

function jsonLines(log: Uint8Array): string[] {
  const lines: string[] = [];
  for (const item of readEvtx(log, { crc32: false })) {
    if (item.ok) lines.push(JSON.stringify({ ...item.record, source: undefined }));
  }
  return lines;
}

function parseAll(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + JSON.parse(line).eventId, 0);
}

if (import.meta.main) await run();
