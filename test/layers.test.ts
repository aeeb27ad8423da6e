/** The layers of ARCHITECTURE: who may import whom, and what the pure packages may not do. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Package -> packages of ours it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  evtx: [],
  runtime: ["model"],
  rules: ["model"],
  formats: ["model", "evtx"],
  correlator: ["model", "rules"],
  bus: ["model"],
  ingest: ["model", "rules", "formats", "bus", "runtime"],
  correlate: ["model", "rules", "correlator", "bus", "runtime"],
  notify: ["model", "bus", "runtime"],
  console: ["model", "bus", "runtime"],
  cli: ["model", "rules", "formats", "correlator", "bus", "runtime", "ingest", "correlate", "notify", "console"],
};
const PURE = ["model", "evtx", "rules", "formats", "correlator"];
const SERVICES = new Set(["ingest", "correlate", "notify", "console"]);

function folderOf(name: string): string {
  return join(ROOT, SERVICES.has(name) ? "services" : "packages", name);
}

interface Manifest {
  readonly name: string;
  readonly exports?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")) as Manifest;
}

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sourcesOf(name: string): Source[] {
  const dir = join(folderOf(name), "src");
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const text = readFileSync(join(dir, path), "utf8");
      const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"/gm)].map(
        (match) => match[1] as string,
      );
      const dynamic = [...text.matchAll(/\bimport\(\s*"([^"]+)"/g)].map((match) => match[1] as string);
      return { path: `${name}/${path}`, text, imports: [...imports, ...dynamic] };
    });
}

/** Files that tests alone use may reach further: vitest, files, sibling packages. */
function isTestFile(path: string): boolean {
  return /\.(?:test|contract)\.ts$|test-|\/test\/|fixtures?/.test(path);
}

test("the folders are those of the layer table", () => {
  const found = ["packages", "services"].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).filter((name) => existsSync(join(ROOT, folder, name, "package.json"))),
  );
  expect(found.sort()).toEqual([...Object.keys(MAY_IMPORT), "knowledge"].sort());
});

test.each(Object.entries(MAY_IMPORT))("the manifest of %s declares exactly its row", (name, allowed) => {
  const declared = Object.keys(manifestOf(name).dependencies ?? {}).filter((dependency) =>
    dependency.startsWith("@culprit/"),
  );
  expect(declared.sort()).toEqual(allowed.map((one) => `@culprit/${one}`).sort());
});

test.each(Object.keys(MAY_IMPORT))("%s imports only what its manifest declares", (name) => {
  const declared = new Set(Object.keys(manifestOf(name).dependencies ?? {}));
  const strangers = sourcesOf(name)
    .filter(({ path }) => !isTestFile(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((one) => !one.startsWith(".") && !one.startsWith("node:") && !declared.has(packageOf(one)))
        .map((one) => `${path}: ${one}`),
    );
  expect(strangers).toEqual([]);
});

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

test.each(Object.keys(MAY_IMPORT))("%s reaches into no other package's files", (name) => {
  const reaching = sourcesOf(name).flatMap(({ path, imports }) =>
    imports.filter((one) => /(?:^|\/)(?:packages|services)\//.test(one)).map((one) => `${path}: ${one}`),
  );
  expect(reaching).toEqual([]);
});

const IMPURE: readonly (readonly [string, RegExp])[] = [
  ["a clock", /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bDateTime\.(?:now|local)\(\)/],
  ["randomness", /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/],
  ["waiting", /\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bawait\b|\bAtomics\.wait\b/],
  ["the outside", /\bprocess\.|\bconsole\.|\bfetch\(|\brequire\(/],
];

/** `hash` of node:crypto is a function of its input. */
const NODE_ALLOWED = new Set(["node:crypto"]);

test.each(PURE)("%s reads no clock, draws no random numbers, does not wait and touches nothing outside", (name) => {
  const findings = sourcesOf(name)
    .filter(({ path }) => !isTestFile(path))
    .flatMap(({ path, text, imports }) => {
      const code = text.replace(/"(?:[^"\\\n]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
      const impure = IMPURE.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path}: ${what}`);
      const reached = imports
        .filter((one) => one.startsWith("node:") && !NODE_ALLOWED.has(one))
        .map((one) => `${path}: ${one}`);
      return [...impure, ...reached];
    });
  expect(findings).toEqual([]);
});

test("kafkajs is named in bus/src/kafka.ts only, Luxon in the shell, at the edges and where formats read local stamps", () => {
  const using = (what: string): string[] =>
    Object.keys(MAY_IMPORT).flatMap((name) =>
      sourcesOf(name)
        .filter(({ path, imports }) => !isTestFile(path) && imports.includes(what))
        .map(({ path }) => path),
    );
  expect(using("kafkajs").filter((path) => path !== "bus/kafka.ts")).toEqual([]);
  expect(using("luxon").filter((path) => /^(?:model|evtx|rules|correlator|bus)\//.test(path))).toEqual([]);
});
