/** Arbitrary detections, with every modifier, and events that they have a fair chance to match; and detections as YAML. */
import fc from "fast-check";
import { stringify } from "yaml";
import type { NaiveDetection, NaiveEvent, NaiveValue } from "./naive.test-support.ts";

const CHARS = [
  ...["a", "A", "b", "s", "S", "\\", "*", "?", "-", "/", "\u2013", "\u2014", "\u2015", "\n", "1"],
  ...["Σ", "ς", "ſ", "İ", "😀", " "],
];
const text = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 5 });
const longText = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 12 });
const number = fc.integer({ min: -3, max: 12 });
const FIELDS = ["A", "Provider_Name", "N.x", "EventID", "Channel"];
const field = fc.constantFrom(...FIELDS);

/** Some of the modifiers, each once, in any order. */
function some(...modifiers: readonly string[]): fc.Arbitrary<string[]> {
  return fc.shuffledSubarray([...modifiers]);
}

function oneOf(...modifiers: readonly string[]): fc.Arbitrary<string[]> {
  return fc.constantFrom(...modifiers).map((modifier) => (modifier === "" ? [] : [modifier]));
}

/** Modifiers of several kinds, in any order. */
function mixed(...parts: readonly fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> {
  return fc
    .tuple(...parts)
    .map((lists) => lists.flat())
    .chain((modifiers) => fc.shuffledSubarray(modifiers, { minLength: modifiers.length }));
}

const place = oneOf("", "contains", "startswith", "endswith");

/** Values for a key: one or a list; `all` asks for a list. */
function values<T extends NaiveValue>(modifiers: readonly string[], one: fc.Arbitrary<T>): fc.Arbitrary<NaiveValue> {
  const list = fc.array(one as fc.Arbitrary<string>, { minLength: modifiers.includes("all") ? 2 : 1, maxLength: 3 });
  return modifiers.includes("all") ? list : fc.oneof({ weight: 2, arbitrary: one }, { weight: 1, arbitrary: list });
}

type Entry = readonly [modifiers: readonly string[], value: NaiveValue];

function entry(modifiers: fc.Arbitrary<string[]>, one: fc.Arbitrary<NaiveValue>): fc.Arbitrary<Entry> {
  return modifiers.chain((chosen) => values(chosen, one).map((value): Entry => [chosen, value]));
}

/** Long enough for `base64offset`; without wildcards. */
const WORDS = ["ab", "-s", "a/b-1", "Σa1", "\\*b", "😀s"];
const encodings = fc
  .tuple(
    oneOf("", "windash"),
    ...[oneOf("", "wide", "utf16le", "utf16be", "utf16"), oneOf("", "base64", "base64offset"), place],
  )
  .map((parts) => parts.flat());

const PLAIN_PIECES = ["a", "b", "s", "S", "1", "-", "Σ", "😀", "\\\\", "\\*", "\n"];
/** Not to be repeated: a place, and what is repeated already. */
const WHOLE_PIECES = ["^", "a😀?", "😀*", "s+"];
const patternPiece = fc.oneof(
  fc.constantFrom(...PLAIN_PIECES, ".", "[ab]", "[^a]", "[s1😀]"),
  fc.constantFrom("(?:ab|s)", "(a|)", "(?:a(?:b|1))"),
  fc.constantFrom(...WHOLE_PIECES),
);
const quantifier = fc.constantFrom("", "", "", "", "*", "+", "?", "{0,2}", "{2,3}");
const pattern = fc
  .tuple(
    fc.array(
      fc
        .tuple(patternPiece, quantifier)
        .map(([piece, times]) => (WHOLE_PIECES.includes(piece) ? piece : piece + times)),
      { minLength: 1, maxLength: 4 },
    ),
    fc.constantFrom("", "", "$"),
  )
  .map(([pieces, end]) => pieces.join("") + end);
const anyPattern = fc.array(pattern, { minLength: 1, maxLength: 2 }).map((alternatives) => alternatives.join("|"));

const NETWORKS = [
  "10.0.0.0/8",
  "10.1.2.0/23",
  "10.1.2.3/32",
  "0.0.0.0/0",
  "fe80::/10",
  "2001:db8::/33",
  "::1/128",
  "::/0",
];
const ADDRESSES = [
  ...["10.1.2.3", "10.1.3.255", "11.0.0.0", "010.1.2.3", "10.1.2", "fe80::1%eth0", "FE80:0:0::1", "fec0::1"],
  ...["2001:db8:8000::", "2001:0db8:7fff::1", "::1", "0:0:0:0:0:0:0:1", "::", "10.1.2.3:80", " 10.1.2.3 "],
];
const STAMPS = [
  ...["2026-03-02T23:15:00Z", "2026-01-01 00:00:59.5", "2027-01-03T10:00:00+02:00", "2024-12-30", "2026-03-02T9:15"],
  ...["10:15", "1772493300"],
];
const timeValue = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(2024, 2026, 2027));

const textEntry = entry(mixed(place, some("cased", "windash", "neq", "all")), fc.oneof(text, number));
const entries: readonly fc.WeightedArbitrary<Entry>[] = [
  { weight: 8, arbitrary: textEntry },
  { weight: 1, arbitrary: fc.tuple(oneOf("", "neq"), fc.constantFrom(null, true, false)) },
  { weight: 1, arbitrary: fc.tuple(oneOf("exists"), fc.boolean()) },
  { weight: 2, arbitrary: entry(mixed(oneOf("lt", "lte", "gt", "gte"), some("neq", "all")), number) },
  {
    weight: 2,
    arbitrary: entry(
      mixed(
        oneOf("minute", "hour", "day", "week", "month", "year"),
        oneOf("", "lt", "lte", "gt", "gte"),
        oneOf("", "neq"),
      ),
      timeValue,
    ),
  },
  { weight: 2, arbitrary: entry(mixed(oneOf("cidr"), some("neq")), fc.constantFrom(...NETWORKS)) },
  {
    weight: 3,
    arbitrary: entry(
      fc.tuple(fc.constant(["re"]), some("i", "m", "s"), place, oneOf("", "neq", "all")).map((parts) => parts.flat()),
      anyPattern,
    ),
  },
  {
    weight: 2,
    arbitrary: entry(
      fc.tuple(encodings, oneOf("", "cased"), oneOf("", "neq", "all")).map((parts) => parts.flat()),
      fc.constantFrom(...WORDS),
    ),
  },
  {
    weight: 1,
    arbitrary: entry(
      mixed(oneOf("expand"), place, some("cased", "windash", "neq", "all")),
      fc.constantFrom("%one%", "%two%", "a%one%", "%one%%two%", "\\%one%", "%two%-%one%", "1%", "plain"),
    ),
  },
  { weight: 2, arbitrary: entry(mixed(oneOf("fieldref"), place, some("cased", "neq", "all")), field) },
];

const item = fc
  .tuple(field, fc.oneof(...entries))
  .map(([name, [modifiers, value]]): [string, NaiveValue] => [[name, ...modifiers].join("|"), value]);
const mapSelection = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => Object.fromEntries(items));

const keyword = text.filter((word) => word !== "");
const keywordEntry = fc.oneof(
  entry(mixed(place, some("cased", "windash", "all", "neq")), keyword),
  entry(mixed(oneOf("expand"), some("all")), fc.constantFrom("%one%", "a%two%")),
  entry(fc.constant(["re", "i"]), anyPattern),
  entry(fc.constant(["cidr"]), fc.constantFrom(...NETWORKS)),
);
const selection = fc.oneof(
  { weight: 6, arbitrary: mapSelection },
  { weight: 1, arbitrary: fc.array(fc.oneof(mapSelection, keyword), { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(keyword, { minLength: 1, maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: keywordEntry.map(([modifiers, value]) => ({ [["", ...modifiers].join("|") || "|contains"]: value })),
  },
);

const NAMES = ["sel_a", "sel_b", "_hidden"];
const oneCondition = fc.letrec<{ node: string; leaf: string }>((tie) => ({
  leaf: fc.constantFrom(...NAMES, "1 of them", "all of them", "any of sel*", "all of sel_*", "1 of *_a", "1 of _*"),
  node: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.tuple(tie("node"), fc.constantFrom("and", "or"), tie("node")).map((parts) => `(${parts.join(" ")})`),
    fc.tuple(tie("node"), fc.constantFrom("and", "or"), tie("node")).map((parts) => parts.join(" ")),
    tie("node").map((node) => `not ${node}`),
  ),
})).node;

export const detection: fc.Arbitrary<NaiveDetection> = fc.record({
  selections: fc.record({ sel_a: selection, sel_b: selection, _hidden: selection }),
  condition: fc.oneof(
    { weight: 4, arbitrary: oneCondition },
    { weight: 1, arbitrary: fc.array(oneCondition, { minLength: 1, maxLength: 2 }) },
  ),
});

/** A detection that asks one thing of the field `A`. */
export const oneTest: fc.Arbitrary<NaiveDetection> = fc.oneof(...entries).map(([modifiers, asked]) => ({
  selections: { sel: { [["A", ...modifiers].join("|")]: asked } },
  condition: "sel",
}));

/** One of the words, inside Base64 or UTF-16. */
const encodedText = fc
  .tuple(
    fc.constantFrom("", "x", "xy"),
    fc.constantFrom(...WORDS.map((word) => word.replace("\\*", "*"))),
    fc.constantFrom("", "z"),
    fc.constantFrom("utf8", "utf16le", "utf16be", "utf16"),
    fc.boolean(),
  )
  .map(([before, word, after, encoding, isBase64]) => {
    const wide = Buffer.from(word, encoding === "utf8" ? "utf8" : "utf16le");
    if (encoding === "utf16be") wide.swap16();
    const mark = Buffer.from(encoding === "utf16" ? [0xff, 0xfe] : []);
    const bytes = Buffer.concat([Buffer.from(before), mark, wide, Buffer.from(after)]);
    return isBase64 ? bytes.toString("base64") : bytes.toString("latin1");
  });
const leaf = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 3, arbitrary: longText },
  { weight: 2, arbitrary: number },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, 1.5, "", "1e1", "0x1") },
  { weight: 2, arbitrary: encodedText },
  { weight: 1, arbitrary: fc.constantFrom(...ADDRESSES) },
  { weight: 1, arbitrary: fc.constantFrom(...STAMPS, 1_772_493_300) },
);
const value = fc.oneof({ weight: 5, arbitrary: leaf }, { weight: 1, arbitrary: fc.array(leaf, { maxLength: 3 }) });
export const event: fc.Arbitrary<NaiveEvent> = fc.record(
  {
    A: value,
    Provider_Name: value,
    EventID: value,
    Channel: value,
    N: fc.oneof(value, fc.record({ x: value }), fc.array(fc.record({ x: value }), { maxLength: 2 })),
    "N.x": value,
  },
  { requiredKeys: [] },
);

/** A rule file for a detection; quoted, as rules are, so that nothing is read as another type than was meant. */
export function detectionText({ selections, condition }: NaiveDetection, n: number): string {
  const body = stringify(
    { detection: { ...selections, condition } },
    { defaultStringType: "QUOTE_DOUBLE", aliasDuplicateObjects: false },
  );
  return `title: r${n}\nlogsource: { product: windows }\n${body}`;
}
