/**
 * A detection: named selections and a condition over them, to one query.
 *
 * Source: Sigma rules specification, "Detection", "Lists", "Maps", "Keywords search", "Condition".
 */
import { parseCondition } from "./condition.ts";
import type { Position, Reporter } from "./diagnostic.ts";
import { allOf, anyOf, NEVER, type Query } from "./expression.ts";
import { type Placeholders, readItem } from "./modifier.ts";
import { shownOf, type YamlMap, type YamlScalar, type YamlTree } from "./yaml-tree.ts";

export interface DetectionInput {
  readonly map: YamlMap;
  /** Keys that are neither selections nor the condition. */
  readonly reserved: readonly string[];
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

/** Reads a detection or filter section; what is wrong is reported, and the query then never used. */
export function readDetection({ map, reserved, reporter, placeholders }: DetectionInput): Query {
  const named = new Map<string, Query>();
  let condition: YamlTree | undefined;
  for (const { key, at, value } of map.entries) {
    if (key === "condition") condition = value;
    else if (reserved.includes(key)) continue;
    else named.set(key, readSelection(value, { name: key, at, reporter, placeholders }));
  }
  if (condition === undefined) {
    const expected = "a condition";
    reporter.refuse({ at: map.at, read: "a detection without condition", expected, fix: "add condition: selection" });
    return NEVER;
  }
  if (named.size === 0) {
    reporter.refuse({ at: map.at, read: "a detection without selections", expected: "at least one" });
    return NEVER;
  }
  return readConditions(condition, named, reporter);
}

function readConditions(condition: YamlTree, named: ReadonlyMap<string, Query>, reporter: Reporter): Query {
  const texts = condition.kind === "list" ? condition.items : [condition];
  if (texts.length === 0) reporter.refuse({ at: condition.at, read: "an empty list", expected: "a condition" });
  const queries = texts.map((text) => {
    if (text.kind === "scalar" && typeof text.value === "string") return readCondition(text, named, reporter);
    // `condition: 1` is a number to YAML and may still be the name of a selection.
    if (text.kind === "scalar" && named.has(text.source)) return readCondition(text, named, reporter);
    reporter.refuse({ at: text.at, read: shownOf(text), expected: "a condition, which is text" });
    return NEVER;
  });
  return anyOf(queries);
}

function readCondition(text: YamlScalar, named: ReadonlyMap<string, Query>, reporter: Reporter): Query {
  const { query, problems } = parseCondition(text.source, named);
  for (const { offset, read, expected, fix, warning } of problems) {
    const quote = text.quoted ? 1 : 0;
    const at = text.source.includes("\n") ? text.at : { ...text.at, column: text.at.column + quote + offset };
    const remark = {
      at,
      read: `${read} in the condition "${text.source.slice(0, 120)}"`,
      expected,
      ...(fix === undefined ? {} : { fix }),
    };
    if (warning === true) reporter.warn(remark);
    else reporter.refuse(remark);
  }
  return query ?? NEVER;
}

interface SelectionContext {
  readonly name: string;
  readonly at: Position;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

/** A map is all of its fields, a list any of its items, a text a keyword. */
function readSelection(tree: YamlTree, context: SelectionContext): Query {
  const { name, at, reporter, placeholders } = context;
  switch (tree.kind) {
    case "scalar":
      return readItem({ key: "", at, value: tree, reporter, placeholders });
    case "map":
      if (tree.entries.length === 0) return refuseEmpty(name, tree, reporter);
      return allOf(
        tree.entries.map(({ key, at: keyAt, value }) => readItem({ key, at: keyAt, value, reporter, placeholders })),
      );
    case "list":
      if (tree.items.length === 0) return refuseEmpty(name, tree, reporter);
      return anyOf(tree.items.map((item) => readSelection(item, { ...context, at: item.at })));
  }
}

function refuseEmpty(name: string, tree: YamlTree, reporter: Reporter): Query {
  reporter.refuse({ at: tree.at, read: `an empty selection ${name}`, expected: "fields or keywords" });
  return NEVER;
}
