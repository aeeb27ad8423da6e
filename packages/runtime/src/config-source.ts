/** A config's text as values, with the line and column of each. */
import { isMap, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { ConfigProblem } from "./config-problem.ts";

const CONFIG_MAX_CHARACTERS = 1_000_000;

export interface ConfigPlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ConfigSource {
  readonly value: unknown;
  /** What is wrong with the text itself; the value is then not to be used. */
  readonly problems: readonly ConfigProblem[];
  /** Where a value stands, or the closest thing around it that does stand somewhere. */
  placeOf(path: readonly PropertyKey[]): ConfigPlace;
}

/** Reads YAML 1.2: duplicate keys, unknown tags and runaway aliases are problems, not surprises. */
export function readConfigText(file: string, text: string): ConfigSource {
  const nowhere = { value: undefined, placeOf: () => ({ file }) };
  if (text.length > CONFIG_MAX_CHARACTERS) {
    const message = `has ${text.length} characters, the most is ${CONFIG_MAX_CHARACTERS}`;
    return { ...nowhere, problems: [{ file, path: "", message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.2", prettyErrors: false });
  const placeAt = (offset: number): ConfigPlace => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? { file } : { file, line, column: col };
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    return { ...nowhere, problems: wrong.map(({ pos, message }) => ({ ...placeAt(pos[0]), path: "", message })) };
  }
  const placeOf = (path: readonly PropertyKey[]): ConfigPlace => {
    const offset = offsetOf(document.contents, path);
    return offset === undefined ? { file } : placeAt(offset);
  };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) ?? undefined, problems: [], placeOf };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...nowhere, problems: [{ file, path: "", message }] };
  }
}

function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const step of path) {
    let found: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(step));
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset;
      found = pair?.value;
    } else if (isSeq(node)) {
      found = node.items[Number(step)];
      offset = (found as Node | undefined)?.range?.[0] ?? offset;
    }
    if (found === undefined) break;
    node = found;
  }
  return offset;
}
