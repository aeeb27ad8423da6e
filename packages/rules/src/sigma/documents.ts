/**
 * Files to documents: several in a file, and `action: global | reset | repeat`, by which one document lends its content to
 * others.
 *
 * Source: Sigma 1 "collections"; conflicts are settled as in the reference implementation: a global document wins over the
 * rule, a repeating document over the one it repeats.
 */
import { Reporter, type RuleDiagnostic } from "./diagnostic.ts";
import { entryOf, readYaml, shownOf, type YamlEntry, type YamlMap } from "./yaml-tree.ts";

/** A rule file: its name for diagnostics, and its text. */
export interface RuleFile {
  readonly file: string;
  readonly text: string;
}

/** The documents of a file that are rules, with what global documents lend them. */
export function readDocuments({ file, text }: RuleFile, diagnostics: RuleDiagnostic[]): readonly YamlMap[] {
  const documents: YamlMap[] = [];
  let global: YamlMap | undefined;
  let previous: YamlMap | undefined;
  for (const tree of readYaml(file, text, diagnostics)) {
    const reporter = new Reporter(`document at line ${tree.at.line}`, diagnostics);
    if (tree.kind !== "map") {
      reporter.refuse({ at: tree.at, read: shownOf(tree), expected: "a rule, which is a map" });
      continue;
    }
    const entry = entryOf(tree, "action");
    const action = entry?.value.kind === "scalar" ? entry.value.source : undefined;
    const content = entry === undefined ? tree : without(tree, "action");
    if (entry === undefined) {
      const isDetection = entryOf(tree, "correlation") === undefined && entryOf(tree, "filter") === undefined;
      previous = global !== undefined && isDetection ? merge(tree, global) : tree;
      documents.push(previous);
    } else if (action === "global") {
      global = content;
      previous = content;
    } else if (action === "reset") {
      global = undefined;
    } else if (action === "repeat" && previous !== undefined) {
      previous = { ...merge(previous, content), at: tree.at };
      documents.push(previous);
    } else {
      const read = action === "repeat" ? "repeat with nothing before it" : `action ${shownOf(entry.value)}`;
      reporter.refuse({ at: entry.value.at, read, expected: "global, reset or repeat" });
    }
  }
  return documents;
}

function without(map: YamlMap, key: string): YamlMap {
  return { ...map, entries: map.entries.filter((entry) => entry.key !== key) };
}

/** The first map with the second laid over it; maps inside are merged, all else is replaced. */
function merge(under: YamlMap, over: YamlMap): YamlMap {
  const entries: YamlEntry[] = under.entries.map((entry) => {
    const other = entryOf(over, entry.key);
    if (other === undefined) return entry;
    if (entry.value.kind === "map" && other.value.kind === "map")
      return { ...other, value: merge(entry.value, other.value) };
    return other;
  });
  for (const entry of over.entries) if (entryOf(under, entry.key) === undefined) entries.push(entry);
  return { ...under, entries };
}
