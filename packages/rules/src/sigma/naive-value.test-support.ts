/**
 * How the naive evaluator compares one value of a rule with one value of an event, modifier by modifier. Everything that a
 * modifier may turn a value into is written out, and each variant is tried.
 */
import { BlockList, isIP } from "node:net";
import { naiveSearch } from "./naive-regex.test-support.ts";

export type NaiveScalar = string | number | boolean | null;

/** Values of placeholders, as the property test gives them to the engine. */
export const PLACEHOLDERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["one", ["a*", "b"]],
  ["two", ["\\*", "S?", "s-"]],
]);

const DASHES = ["-", "/", "\u2013", "\u2014", "\u2015"];
const ENCODINGS = ["wide", "utf16le", "utf16be", "utf16", "base64", "base64offset"];
const TIME_PARTS = ["minute", "hour", "day", "week", "month", "year"];
const COMPARISONS = ["lt", "lte", "gt", "gte"];

/** Whether a value of the event is what the rule's value asks for. Null never is. */
export function scalarHolds(value: NaiveScalar, leaf: NaiveScalar, modifiers: readonly string[]): boolean {
  if (leaf === null) return false;
  const compare = modifiers.find((modifier) => COMPARISONS.includes(modifier));
  const part = modifiers.find((modifier) => TIME_PARTS.includes(modifier));
  if (part !== undefined) {
    const read = timePart(part, leaf);
    return read !== undefined && numberHolds(compare ?? "eq", read, Number(value));
  }
  if (compare !== undefined) {
    const isDecimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(String(leaf).trim());
    return isDecimal && numberHolds(compare, Number(leaf), Number(value));
  }
  if (modifiers.includes("cidr")) return typeof leaf === "string" && isInside(leaf.trim(), String(value));
  if (modifiers.includes("re")) {
    const [i, m, s] = ["i", "m", "s"].map((flag) => modifiers.includes(flag)) as [boolean, boolean, boolean];
    const place = modifiers.includes("startswith") ? "start" : modifiers.includes("endswith") ? "end" : undefined;
    return naiveSearch(String(value), String(leaf), { i, m, s }, place);
  }
  return variantsOf(String(value), modifiers).some((tokens) => globHolds(tokens, [...String(leaf)], modifiers));
}

/** Whether two values of an event are alike at the place that the modifiers say. */
export function referenceHolds(leaf: NaiveScalar, other: NaiveScalar, modifiers: readonly string[]): boolean {
  if (leaf === null || other === null) return false;
  const tokens = [...String(other)];
  return placed(tokens, modifiers).some((each) => globHolds(each, [...String(leaf)], modifiers));
}

function numberHolds(compare: string, number: number, limit: number): boolean {
  if (compare === "eq") return number === limit;
  if (compare === "lt") return number < limit;
  if (compare === "lte") return number <= limit;
  return compare === "gt" ? number > limit : number >= limit;
}

function timePart(part: string, leaf: NaiveScalar): number | undefined {
  const isUnix = typeof leaf === "number" || /^\d{9,13}$/.test(String(leaf));
  const text = isUnix ? new Date(Number(leaf) * (Number(leaf) < 1e11 ? 1000 : 1)).toISOString() : String(leaf);
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?/.exec(text);
  if (match === null) return undefined;
  if (part === "week") return weekOf(`${match[1]}-${match[2]}-${match[3]}`);
  const read = match[["", "year", "month", "day", "hour", "minute"].indexOf(part)];
  return read === undefined ? undefined : Number(read);
}

/** The week of each day from Monday 1 January 1968, the first day of the first week of its year, to 2037. */
const WEEKS = new Map<string, number>();

function weekOf(day: string): number | undefined {
  const at = new Date("1968-01-01T00:00:00Z");
  let week = 1;
  while (WEEKS.size < 70 * 52 * 7) {
    for (let i = 0; i < 7; i += 1) {
      WEEKS.set(at.toISOString().slice(0, 10), week);
      at.setUTCDate(at.getUTCDate() + 1);
    }
    const thursday = new Date(at.getTime() + 3 * 86_400_000);
    week = thursday.getUTCMonth() === 0 && thursday.getUTCDate() <= 7 ? 1 : week + 1;
  }
  return WEEKS.get(day);
}

function isInside(address: string, network: string): boolean {
  const [start = "", length] = network.split("/");
  const [plain = ""] = address.split("%");
  const family = isIP(start) === 6 ? "ipv6" : "ipv4";
  if (isIP(plain) !== isIP(start)) return false;
  const list = new BlockList();
  list.addSubnet(start, Number(length), family);
  return list.check(plain, family);
}

type Token = string | { readonly wild: "*" | "?" };
const MANY: Token = { wild: "*" };

/** Every token list that the modifiers make of a value, in the order they are written. */
function variantsOf(value: string, modifiers: readonly string[]): readonly (readonly Token[])[] {
  let variants = (modifiers.includes("expand") ? expanded(value) : [value]).map(tokensOf);
  const isEncoded = modifiers.some((modifier) => ENCODINGS.includes(modifier));
  for (const modifier of modifiers) {
    if (modifier === "windash" && isEncoded) variants = variants.flatMap(dashed);
    else if (ENCODINGS.includes(modifier)) variants = variants.flatMap((tokens) => encoded(tokens, modifier));
    else variants = variants.flatMap((tokens) => placed(tokens, [modifier]));
  }
  return variants;
}

function placed(tokens: Token[], modifiers: readonly string[]): Token[][] {
  const opens = modifiers.includes("contains") || modifiers.includes("endswith");
  const closes = modifiers.includes("contains") || modifiers.includes("startswith");
  return [[...(opens ? [MANY] : []), ...tokens, ...(closes ? [MANY] : [])]];
}

function expanded(value: string): string[] {
  const match = /^((?:\\%|(?!\\%)[^%])*)%(\w+)%(.*)$/s.exec(value);
  if (match === null) return [value.replaceAll("\\%", "%")];
  const [, before = "", name = "", after = ""] = match;
  return (PLACEHOLDERS.get(name) as readonly string[]).flatMap((each) =>
    expanded(after).map((rest) => before.replaceAll("\\%", "%") + each + rest),
  );
}

function tokensOf(pattern: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  while (chars.length > 0) {
    const char = chars.shift() as string;
    const next = chars[0];
    if (char === "\\" && next !== undefined && "\\*?".includes(next)) tokens.push(chars.shift() as string);
    else if (char === "*" || char === "?") tokens.push({ wild: char });
    else tokens.push(char);
  }
  return tokens;
}

function dashed(tokens: readonly Token[]): Token[][] {
  const [first, ...rest] = tokens;
  if (first === undefined) return [[]];
  const choices = typeof first === "string" && DASHES.includes(first) ? DASHES : [first];
  return dashed(rest).flatMap((tail) => choices.map((choice) => [choice, ...tail]));
}

/** Between encodings a value is one character a byte, so that the first encoding alone looks at text. */
function encoded(tokens: readonly Token[], modifier: string): Token[][] {
  const text = tokens.join("");
  const isBytes = tokens.some((token) => token === BYTES);
  const chars = isBytes ? tokens.filter((token) => token !== BYTES).join("") : text;
  const bytes = isBytes ? Buffer.from(chars, "latin1") : Buffer.from(chars, "utf8");
  if (modifier === "base64") return [[...bitText(bytes, 0, "padded")]];
  if (modifier === "base64offset") return [0, 1, 2].map((shift) => [...bitText(bytes, shift, "sure")]);
  const wide = Buffer.from(chars, "utf16le");
  if (modifier === "utf16be") wide.swap16();
  const marked = modifier === "utf16" ? Buffer.concat([Buffer.from([0xff, 0xfe]), wide]) : wide;
  return [[...marked.toString("latin1"), BYTES]];
}

/** Stands for no character; says that the others are bytes. */
const BYTES = "";
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 by its bits: six a character. Of a value inside other bytes, only characters all of whose bits are its own. */
function bitText(bytes: Uint8Array, shift: number, kind: "padded" | "sure"): string {
  const foreign = "x".repeat(8 * shift);
  const own = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const sextets = (foreign + own).match(/.{1,6}/g) ?? [];
  const digit = (bits: string): string => DIGITS[Number.parseInt(bits.padEnd(6, "0"), 2)] as string;
  if (kind === "sure")
    return sextets
      .filter((bits) => /^[01]{6}$/.test(bits))
      .map(digit)
      .join("");
  const text = sextets.map(digit).join("");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** Which prefixes of the text the tokens so far can match. */
function globHolds(tokens: readonly Token[], text: readonly string[], modifiers: readonly string[]): boolean {
  const isDashAlike = modifiers.includes("windash") && !modifiers.some((modifier) => ENCODINGS.includes(modifier));
  const same = (a: string, b: string): boolean => {
    if (isDashAlike && DASHES.includes(a) && DASHES.includes(b)) return true;
    return modifiers.includes("cased") ? a === b : lower(a) === lower(b);
  };
  let reach = new Set([0]);
  for (const token of tokens) {
    if (token === BYTES) continue;
    const next = new Set<number>();
    for (const at of reach) {
      if (typeof token === "object" && token.wild === "*") for (let i = at; i <= text.length; i += 1) next.add(i);
      else if (at < text.length && (typeof token === "object" || same(token, text[at] as string))) next.add(at + 1);
    }
    reach = next;
  }
  return reach.has(text.length);
}

/** One character in lower case; `İ` has none of one character, and a final sigma is a sigma. */
function lower(char: string): string {
  const folded = char.toLowerCase().replace("ς", "σ");
  return folded.length === char.length ? folded : char;
}
