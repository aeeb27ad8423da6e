/**
 * YAML text to a tree with positions. The tree is ours, so that nothing downstream meets aliases, tags, merge keys or
 * prototype keys; what YAML allows and rules do not need is refused here.
 *
 * Source: YAML 1.2.2 core schema (Sigma rules specification, "Yaml File"), with the merge key of YAML 1.1, which the
 * reference implementation's reader knows; RELIABILITY B42.
 */
import { clip } from "@culprit/model";
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import type { Position, RuleDiagnostic } from "./diagnostic.ts";
import { Reporter } from "./diagnostic.ts";

/** A larger file is refused: 2,400 public rules in one file are 4 MiB. */
const FILE_MAX_LENGTH = 8 * 1024 * 1024;
/** Nodes of one file after its aliases are followed. */
const NODES_MAX = 1_000_000;
/** Nodes of one document after its aliases are followed; an alias bomb ends here, the largest public rule has 5,000. */
const DOCUMENT_NODES_MAX = 100_000;
/** Of a title, in diagnostics. */
const TITLE_MAX_LENGTH = 256;
/** Levels of nesting; rules use six. */
const DEPTH_MAX = 64;

type ScalarValue = string | number | bigint | boolean | null;

export interface YamlScalar {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: ScalarValue;
  /** As written, without quotes. */
  readonly source: string;
  readonly quoted: boolean;
}
interface YamlList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly YamlTree[];
}
export interface YamlEntry {
  readonly key: string;
  readonly at: Position;
  readonly value: YamlTree;
}
export interface YamlMap {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: readonly YamlEntry[];
}
export type YamlTree = YamlScalar | YamlList | YamlMap;

/** The value under a key, or `undefined`. */
export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** A tree as plain data: maps become objects without a prototype; big integers become text. */
export function plainOf(tree: YamlTree): unknown {
  switch (tree.kind) {
    case "scalar":
      return typeof tree.value === "bigint" ? tree.source : tree.value;
    case "list":
      return tree.items.map(plainOf);
    case "map": {
      const out: Record<string, unknown> = Object.create(null);
      for (const { key, value } of tree.entries) out[key] = plainOf(value);
      return out;
    }
  }
}

/** What was read, for a diagnostic: short, and on one line. */
export function shownOf(tree: YamlTree): string {
  if (tree.kind === "list") return `a list of ${tree.items.length}`;
  if (tree.kind === "map")
    return `a map of ${tree.entries.map((entry) => clip(entry.key, 40)).join(", ") || "nothing"}`;
  return `"${clip(tree.source.replaceAll(/\s+/g, " "), 60)}"`;
}

/**
 * Reads every document of a file. Empty documents are left out.
 *
 * Errors: a file that is not YAML, has a repeated key, a custom tag, too many nodes or too many levels yields a
 * diagnostic and, for that document, no tree; the other documents of the file are read.
 */
export function readYaml(file: string, text: string, diagnostics: RuleDiagnostic[]): readonly YamlTree[] {
  const start = { file, line: 1, column: 1 };
  if (text.length > FILE_MAX_LENGTH) {
    const read = `${text.length} characters`;
    new Reporter(file, diagnostics).refuse({
      at: start,
      read,
      expected: `at most ${FILE_MAX_LENGTH}`,
      fix: "split the file",
    });
    return [];
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, intAsBigInt: true, logLevel: "silent" });
  if ("empty" in documents) return [];
  const trees: YamlTree[] = [];
  const reader = new TreeReader(file, lines);
  documents.forEach((document, i) => {
    // What could be read of a broken document may still tell which rule it is.
    const title: unknown = isMap(document.contents) ? document.contents.get("title") : undefined;
    const isNamed = typeof title === "string" && title.trim() !== "";
    const reporter = new Reporter(isNamed ? clip(title, TITLE_MAX_LENGTH) : `${file}, document ${i + 1}`, diagnostics);
    for (const error of [...document.errors, ...document.warnings]) {
      const at = reader.positionAt(error.pos[0]);
      const read = clip((error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, ""), 160);
      reporter.refuse({ at, read, expected: "plain YAML 1.2", ...(yamlFix(error.code) ?? {}) });
    }
    if (reporter.refused || document.contents === null) return;
    const tree = reader.read(document.contents, document, reporter, 0);
    if (!reporter.refused && tree !== undefined && !isEmpty(tree)) trees.push(tree);
  });
  return trees;
}

function isEmpty(tree: YamlTree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

function yamlFix(code: string): { fix: string } | undefined {
  if (code === "TAB_AS_INDENT") return { fix: "indent with spaces" };
  if (code === "DUPLICATE_KEY") return { fix: "a key may stand once in a map; use a list, or a second selection" };
  if (code === "TAG_RESOLVE_FAILED") return { fix: "remove the tag" };
  return undefined;
}

type YamlDocument = Parameters<Extract<Node, { resolve: unknown }>["resolve"]>[0];
const CORE_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

/** Turns nodes of the yaml package into our tree, counting what aliases multiply. */
class TreeReader {
  private readonly file: string;
  private readonly lines: LineCounter;
  private nodes = 0;
  private documentNodes = 0;

  constructor(file: string, lines: LineCounter) {
    this.file = file;
    this.lines = lines;
  }

  positionAt(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  read(node: unknown, document: YamlDocument, reporter: Reporter, depth: number): YamlTree | undefined {
    const at = this.positionAt((node as Node | null)?.range?.[0] ?? 0);
    this.nodes += 1;
    if (depth === 0) this.documentNodes = 0;
    this.documentNodes += 1;
    if (this.nodes > NODES_MAX || this.documentNodes > DOCUMENT_NODES_MAX || depth > DEPTH_MAX) {
      const expected = `at most ${DOCUMENT_NODES_MAX} values in ${DEPTH_MAX} levels, aliases followed`;
      if (!reporter.refused)
        reporter.refuse({ at, read: "more values or levels", expected, fix: "write the values out" });
      return undefined;
    }
    if (isAlias(node)) return this.read(node.resolve(document), document, reporter, depth + 1);
    const tag = (node as Node | null)?.tag;
    if (tag !== undefined && !CORE_TAG.test(tag)) {
      reporter.refuse({ at, read: `the tag ${clip(tag, 60)}`, expected: "no tags", fix: "remove the tag" });
      return undefined;
    }
    if (isScalar(node)) return scalarOf(node, at);
    if (isSeq(node)) {
      const items: YamlTree[] = [];
      for (const item of node.items) {
        const tree = this.read(item, document, reporter, depth + 1);
        if (tree === undefined) return undefined;
        items.push(tree);
      }
      return { kind: "list", at, items };
    }
    if (!isMap(node)) return { kind: "scalar", at, value: null, source: "", quoted: false };
    const entries: YamlEntry[] = [];
    const lent: YamlMap[] = [];
    for (const pair of node.items) {
      const key = this.read(pair.key, document, reporter, depth + 1);
      const value = this.read(pair.value, document, reporter, depth + 1);
      if (key === undefined || value === undefined) return undefined;
      if (key.kind !== "scalar") {
        reporter.refuse({ at: key.at, read: "a key that is no scalar", expected: "a name" });
        return undefined;
      }
      if (key.source === "<<" && !key.quoted) lent.push(...mergedMaps(value));
      else entries.push({ key: key.source, at: key.at, value });
    }
    const own = new Set(entries.map(({ key }) => key));
    for (const entry of lent.flatMap((map) => map.entries)) {
      if (!own.has(entry.key)) entries.push(entry);
      own.add(entry.key);
    }
    return { kind: "map", at, entries };
  }
}

/** What a merge key lends: a map, or several, of which the first to have a key wins. */
function mergedMaps(value: YamlTree): readonly YamlMap[] {
  return (value.kind === "list" ? value.items : [value]).filter((each) => each.kind === "map");
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function scalarOf(node: { value: unknown; source?: string; type?: string }, at: Position): YamlScalar {
  const quoted = node.type !== undefined && node.type !== "PLAIN";
  const { value } = node;
  const source = typeof value === "string" ? value : (node.source ?? String(value ?? ""));
  if (typeof value === "bigint") {
    const safe = value <= SAFE && value >= -SAFE;
    return { kind: "scalar", at, value: safe ? Number(value) : value, source, quoted };
  }
  const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return { kind: "scalar", at, value: known ? value : null, source, quoted };
}
