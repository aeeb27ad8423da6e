/**
 * Field items: `Field|modifier|modifier: value(s)` to a query.
 *
 * Source: Sigma modifiers appendix 2.1.0; rules specification, "Value Modifiers", "Special Field Values".
 */
import { clip } from "@culprit/model";
import type { Position, Reporter } from "./diagnostic.ts";
import { allOf, anyOf, NEVER, not, type Query, testOf } from "./expression.ts";
import { parseNetwork } from "./ip.ts";
import type { Comparator, TextPlace } from "./matcher.ts";
import { compileRegex, type RegexFlags } from "./regex.ts";
import { type StringModifiers, stringQuery } from "./string-value.ts";
import { TIME_PART_RANGE, TIME_PARTS, type TimePart } from "./time-part.ts";
import { shownOf, type YamlScalar, type YamlTree } from "./yaml-tree.ts";

/** Values of `%name%` placeholders; each is a Sigma string, so it may hold wildcards. */
export type Placeholders = ReadonlyMap<string, readonly string[]>;

const COMPARATORS = ["lt", "lte", "gt", "gte"] as const;
const ENCODINGS = ["base64", "base64offset", "utf16le", "utf16be", "utf16", "wide"] as const;
const REGEX_FLAGS = { i: "ignoreCase", m: "multiLine", s: "dotAll" } as const;

/** Every modifier of Sigma 2.1. */
const MODIFIERS: readonly string[] = [
  ...["all", "startswith", "endswith", "contains", "exists", "cased", "neq", "windash", "re", "i", "m", "s"],
  ...ENCODINGS,
  ...COMPARATORS,
  ...TIME_PARTS,
  ...["cidr", "expand", "fieldref"],
];

/** What a key asks for: modifiers in the order given. */
interface Item {
  readonly field: string | undefined;
  readonly modifiers: readonly string[];
  readonly at: Position;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

export interface ItemInput {
  /** `Field|contains|all`, or `|all` for keywords. */
  readonly key: string;
  readonly at: Position;
  readonly value: YamlTree;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

/** Reads one entry of a selection. What cannot be honoured is reported and yields a query that is never used. */
export function readItem({ key, at, value, reporter, placeholders }: ItemInput): Query {
  const [name = "", ...modifiers] = key.split("|");
  const item: Item = { field: name === "" ? undefined : name, modifiers, at, reporter, placeholders };
  if (!areModifiersSound(item)) return NEVER;
  const scalars = scalarsOf(value, item);
  if (scalars === undefined) return NEVER;
  if (scalars.length === 0) {
    const fix = "write null for a field without a value, or remove the field";
    reporter.warn({
      at: value.at,
      read: `an empty list for ${name || "keywords"}`,
      expected: "values; it never matches",
      fix,
    });
    return NEVER;
  }
  if (modifiers.includes("all") && scalars.length === 1) {
    const remark = { at, read: "all on a single value", expected: "several values", fix: "remove all" };
    if (value.kind === "list") reporter.warn(remark);
    else reporter.refuse(remark);
  }
  const queries = scalars.map((scalar) => readValue(scalar, item));
  const query = modifiers.includes("all") ? allOf(queries) : anyOf(queries);
  return modifiers.includes("neq") ? different(query, item, scalars) : query;
}

/**
 * `neq`: the field is there and its value is another one. A field that is missing has no other value; a null has.
 * With `fieldref` the other field must be there too.
 */
function different(query: Query, item: Item, scalars: readonly YamlScalar[]): Query {
  if (item.field === undefined) return not(query);
  const others = item.modifiers.includes("fieldref") ? scalars.map((scalar) => scalar.source) : [];
  return allOf([...[item.field, ...others].map((field) => testOf(field, { kind: "exists" })), not(query)]);
}

/** Which modifiers decide how a value is read; only one may. */
const KINDS: readonly (readonly string[])[] = [
  ["exists"],
  ["re"],
  ["cidr"],
  ["fieldref"],
  [...TIME_PARTS],
  [...COMPARATORS],
];
const STRING_ONLY: readonly string[] = ["windash", ...ENCODINGS];
const UTF_16: readonly string[] = ["wide", "utf16", "utf16le", "utf16be"];
const PLACES: readonly string[] = ["startswith", "endswith", "contains"];

function areModifiersSound({ field, modifiers, at, reporter }: Item): boolean {
  const refuse = (read: string, expected: string, fix?: string): boolean => {
    reporter.refuse({ at, read, expected, ...(fix === undefined ? {} : { fix }) });
    return false;
  };
  for (const modifier of modifiers) {
    if (!MODIFIERS.includes(modifier))
      return refuse(`the modifier "${clip(modifier, 40)}"`, `one of ${MODIFIERS.join(", ")}`);
    if (modifiers.indexOf(modifier) !== modifiers.lastIndexOf(modifier))
      return refuse(`${modifier} twice`, "each modifier once");
  }
  const wide = modifiers.filter((modifier) => UTF_16.includes(modifier));
  if (wide.length > 1) return refuse(wide.join(" with "), "one UTF-16 encoding");
  const kinds = KINDS.map((kind) => modifiers.filter((modifier) => kind.includes(modifier))).filter(
    (used) => used.length > 0,
  );
  const isTimeCompared =
    kinds.length === 2 &&
    kinds.every((used) => used.length === 1) &&
    kinds[0]?.[0] !== undefined &&
    isTimePart(kinds[0][0]) &&
    isComparator(kinds[1]?.[0]);
  if (!isTimeCompared && kinds.flat().length > 1) return refuse(kinds.flat().join(" with "), "only one of them");
  const kind = kinds[0]?.[0];
  if ((modifiers.includes("i") || modifiers.includes("m") || modifiers.includes("s")) && kind !== "re") {
    return refuse("i, m or s without re", "re before its flags");
  }
  if (kind === undefined) return true;
  if (
    kind === "re" &&
    modifiers.findIndex((modifier) => modifier in REGEX_FLAGS) !== -1 &&
    modifiers.indexOf("re") > modifiers.findIndex((modifier) => modifier in REGEX_FLAGS)
  ) {
    return refuse("a flag before re", "re before its flags");
  }
  const foreign = modifiers.find((modifier) => STRING_ONLY.includes(modifier) || modifier === "expand");
  if (foreign !== undefined) return refuse(`${foreign} with ${kind}`, `${kind} on the value as it is written`);
  if (kind !== "re" && kind !== "fieldref") {
    const place = modifiers.find((modifier) => PLACES.includes(modifier) || modifier === "cased");
    if (place !== undefined) return refuse(`${place} with ${kind}`, `${kind} alone, or with all or neq`);
  }
  if (kind === "exists" && modifiers.length > 1) return refuse(`${modifiers.join(", ")}`, "exists alone");
  if (field === undefined && kind !== "re" && kind !== "cidr")
    return refuse(`${kind} on keywords`, `${kind} on a field`);
  return true;
}

function scalarsOf(value: YamlTree, { field, reporter }: Item): readonly YamlScalar[] | undefined {
  const items = value.kind === "list" ? value.items : [value];
  const scalars: YamlScalar[] = [];
  for (const each of items) {
    if (each.kind !== "scalar") {
      reporter.refuse({
        at: each.at,
        read: `${shownOf(each)} under ${field ?? "keywords"}`,
        expected: "a value or a list of values",
      });
      return undefined;
    }
    scalars.push(each);
  }
  return scalars;
}

function readValue(scalar: YamlScalar, item: Item): Query {
  const { modifiers } = item;
  warnOfSpelling(scalar, item);
  const part = modifiers.find(isTimePart);
  if (part !== undefined) return readTime(scalar, item, part);
  const comparator = modifiers.find(isComparator);
  if (comparator !== undefined) return readComparison(scalar, item, comparator);
  if (modifiers.includes("exists")) return readExists(scalar, item);
  if (modifiers.includes("re")) return readRegex(scalar, item);
  if (modifiers.includes("cidr")) return readNetwork(scalar, item);
  if (modifiers.includes("fieldref")) return readFieldReference(scalar, item);
  return readString(scalar, item);
}

const YAML_1_1_BOOLEAN = /^(?:y|yes|n|no|on|off)$/i;

/** Values that YAML reads as something else than they look like, here or in other tools. */
function warnOfSpelling(scalar: YamlScalar, { reporter, field }: Item): void {
  if (scalar.quoted) return;
  const { source, value, at } = scalar;
  if (/^0x/i.test(source) && (typeof value === "number" || typeof value === "bigint")) {
    const fix = `write '${source}' to match the text, ${value} to match the number`;
    reporter.warn({
      at,
      read: `${source} without quotes (${field ?? "keywords"})`,
      expected: `text or number; YAML makes it ${value}`,
      fix,
    });
  } else if (YAML_1_1_BOOLEAN.test(source) && typeof value === "string") {
    const fix = `write '${source}' for the text, true or false for the boolean`;
    reporter.warn({
      at,
      read: `${source} without quotes (${field ?? "keywords"})`,
      expected: "quotes; it is read as text here, as a boolean by YAML 1.1 tools",
      fix,
    });
  }
}

function readExists(scalar: YamlScalar, { field, reporter }: Item): Query {
  const meant =
    typeof scalar.value === "boolean"
      ? scalar.value
      : scalar.quoted
        ? undefined
        : YES_NO.get(scalar.source.toLowerCase());
  if (meant === undefined) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "true or false for exists" });
    return NEVER;
  }
  const test = testOf(field, { kind: "exists" });
  return meant ? test : not(test);
}
const YES_NO: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["no", false],
]);

function readRegex(scalar: YamlScalar, { field, modifiers, reporter }: Item): Query {
  if (scalar.value === null) {
    reporter.refuse({ at: scalar.at, read: "null", expected: "a regular expression" });
    return NEVER;
  }
  const flags: RegexFlags = {
    ignoreCase: modifiers.includes("i"),
    multiLine: modifiers.includes("m"),
    dotAll: modifiers.includes("s"),
  };
  // `contains` says what a search does anyway; the ends are the ends of the value, whatever `m` says.
  const pattern = modifiers.includes("startswith")
    ? `\\A(?:${scalar.source})`
    : modifiers.includes("endswith")
      ? `(?:${scalar.source})\\z`
      : scalar.source;
  const compiled = compileRegex(pattern, flags);
  if (!compiled.ok) {
    const { read, expected, fix } = compiled;
    reporter.refuse({ at: scalar.at, read, expected, ...(fix === undefined ? {} : { fix }) });
    return NEVER;
  }
  return testOf(field, { kind: "regex", pattern, flags });
}

function readNetwork(scalar: YamlScalar, { field, reporter }: Item): Query {
  const network = parseNetwork(scalar.source);
  if (network === undefined) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "a network such as 10.0.0.0/8 or fe80::/10" });
    return NEVER;
  }
  if (network.hadHostBits) {
    reporter.warn({ at: scalar.at, read: shownOf(scalar), expected: "a network address; the host bits are ignored" });
  }
  const { version, bits, hostBits } = network;
  return testOf(field, { kind: "network", network: { version, bits, hostBits } });
}

function readFieldReference(scalar: YamlScalar, { field, modifiers, reporter }: Item): Query {
  if (typeof scalar.value !== "string" || scalar.value === "" || /[*?]/.test(scalar.value)) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "the name of a field" });
    return NEVER;
  }
  const view = { cased: modifiers.includes("cased"), dash: false };
  return testOf(field, { kind: "field", other: scalar.value, place: placeOf(modifiers), view });
}

function placeOf(modifiers: readonly string[]): TextPlace {
  const starts = modifiers.includes("startswith");
  const ends = modifiers.includes("endswith");
  if (modifiers.includes("contains") || (starts && ends)) return "contains";
  return starts ? "prefix" : ends ? "suffix" : "equals";
}

const NUMBER_TEXT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;

function numberOf(scalar: YamlScalar, { reporter }: Item, expected: string): number | bigint | undefined {
  const { value, source } = scalar;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (typeof value === "string" && NUMBER_TEXT.test(source)) {
    reporter.warn({
      at: scalar.at,
      read: `${shownOf(scalar)} in quotes`,
      expected: "a number",
      fix: "remove the quotes",
    });
    return Number(source);
  }
  reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected });
  return undefined;
}

function readComparison(scalar: YamlScalar, item: Item, compare: Comparator): Query {
  const value = numberOf(scalar, item, `a number for ${compare}`);
  return value === undefined ? NEVER : testOf(item.field, { kind: "number", compare, value });
}

function readTime(scalar: YamlScalar, item: Item, part: TimePart): Query {
  const value = numberOf(scalar, item, `a number for ${part}`);
  if (value === undefined) return NEVER;
  const compare = item.modifiers.find(isComparator) ?? "eq";
  const [least, greatest] = TIME_PART_RANGE[part];
  if (compare === "eq" && (value < least || value > greatest || !Number.isInteger(Number(value)))) {
    item.reporter.warn({
      at: scalar.at,
      read: shownOf(scalar),
      expected: `${least} to ${greatest} for ${part}; it never matches`,
    });
  }
  return testOf(item.field, { kind: "time", part, compare, value: Number(value) });
}

function readString(scalar: YamlScalar, item: Item): Query {
  const { field, modifiers, reporter, placeholders } = item;
  if (scalar.value === null) {
    const foreign = modifiers.find((modifier) => !["all", "neq", "cased"].includes(modifier));
    if (foreign === undefined && field !== undefined) return testOf(field, { kind: "null" });
    reporter.refuse({
      at: scalar.at,
      read: `null ${foreign === undefined ? "as a keyword" : `with ${foreign}`}`,
      expected: "a text",
    });
    return NEVER;
  }
  if (field === undefined && scalar.source === "") {
    reporter.refuse({ at: scalar.at, read: "an empty keyword", expected: "a text to look for" });
    return NEVER;
  }
  const strings: StringModifiers = { field, modifiers, placeholders };
  const result = stringQuery(textsOf(scalar, modifiers), strings);
  if (result.ok) return result.query;
  reporter.refuse({ at: scalar.at, ...result.problem });
  return NEVER;
}

/**
 * The texts a value stands for. A number is its decimal text, and the text as written where that is decimal too (`1.0`);
 * beyond 2^53 also the text of the nearest double, which is what a JSON reader makes of it.
 */
function textsOf({ value, source, quoted }: YamlScalar, modifiers: readonly string[]): readonly string[] {
  if (typeof value === "string" || quoted) return [source];
  if (modifiers.some((modifier) => PLACES.includes(modifier) || STRING_ONLY.includes(modifier))) return [source];
  const texts = new Set([String(value)]);
  if (typeof value === "number" && /^[\d.]+$/.test(source)) texts.add(source);
  if (typeof value === "bigint") texts.add(String(Number(value)));
  return [...texts];
}

function isTimePart(modifier: string | undefined): modifier is TimePart {
  return TIME_PARTS.some((part) => part === modifier);
}

function isComparator(modifier: string | undefined): modifier is (typeof COMPARATORS)[number] {
  return COMPARATORS.some((comparator) => comparator === modifier);
}
