/**
 * A small reader of event XML, made for text that is pasted, cut off, copied out of a tree view or hostile: text in, a
 * tree of elements by local name out. It never refuses what it can still make sense of, never expands an entity that a
 * document defines (DOCTYPE is refused), and stops at stated limits.
 *
 * States: in content, text runs to the next `<`; in a tag, attributes run to the `>` that stands outside quotes. A `<`
 * inside a tag means that the tag was cut off: it is given up and the new one begins. An end tag closes the nearest open
 * element of its name; one that closes nothing is passed over. Text beside child elements (the dashes of a tree view) is
 * kept on its element and read by nobody.
 */
import { type Decoded, failure, success } from "@culprit/model";

export interface XmlElement {
  /** Local name, without a prefix. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, references replaced. */
  readonly text: string;
}

export interface XmlTree {
  /** The top-level elements; several where a fragment has no root. */
  readonly roots: readonly XmlElement[];
  /** `cut` where the text ends inside an element, `xml-repaired` where tags did not match, `forbidden-character`. */
  readonly marks: readonly string[];
}

const XML_DEPTH_MAX = 64;
const XML_ATTRIBUTES_MAX = 256;
const XML_ELEMENTS_MAX = 20_000;

interface OpenElement {
  name: string;
  attributes: Map<string, string>;
  children: OpenElement[];
  text: string;
}

/**
 * Reads a text with event XML.
 * Errors: `xml.doctype`, `xml.too-deep`, `xml.too-many-attributes`, `xml.too-many-elements`.
 */
export function readXml(text: string, limits: { readonly elementsMax?: number } = {}): Decoded<XmlTree> {
  const elementsMax = limits.elementsMax ?? XML_ELEMENTS_MAX;
  const marks = new Set<string>();
  const root: OpenElement = { name: "", attributes: new Map(), children: [], text: "" };
  const open: OpenElement[] = [root];
  let elements = 0;
  let at = 0;
  while (at < text.length) {
    const top = open[open.length - 1] as OpenElement;
    const tag = text.indexOf("<", at);
    if (tag === -1) {
      top.text += readReferences(text.slice(at), marks);
      break;
    }
    if (tag > at) top.text += readReferences(text.slice(at, tag), marks);
    const next = text.charCodeAt(tag + 1);
    if (next === 0x21) {
      if (text.startsWith("<![CDATA[", tag)) {
        const end = text.indexOf("]]>", tag + 9);
        top.text += text.slice(tag + 9, end === -1 ? text.length : end);
        at = end === -1 ? text.length : end + 3;
      } else if (text.startsWith("<!--", tag)) {
        const end = text.indexOf("-->", tag + 4);
        at = end === -1 ? text.length : end + 3;
      } else {
        return failure("xml.doctype", "a document type is refused: its entities are not expanded", tag);
      }
    } else if (next === 0x3f) {
      const end = text.indexOf("?>", tag + 2);
      at = end === -1 ? text.length : end + 2;
    } else if (next === 0x2f) {
      at = closeElement(text, tag, open, marks);
    } else if (isNameStart(next)) {
      elements += 1;
      if (elements > elementsMax) return failure("xml.too-many-elements", `more than ${elementsMax}`, tag);
      const read = readTag(text, tag, marks);
      if (read === undefined) return failure("xml.too-many-attributes", `more than ${XML_ATTRIBUTES_MAX}`, tag);
      top.children.push(read.element);
      if (!read.closed) open.push(read.element);
      if (open.length > XML_DEPTH_MAX + 1) return failure("xml.too-deep", `more than ${XML_DEPTH_MAX} levels`, tag);
      at = read.end;
    } else {
      // A bare `<`: XML forbids it, hand-made forwarders write it.
      marks.add("xml-repaired");
      top.text += "<";
      at = tag + 1;
    }
  }
  if (open.length > 1) marks.add("cut");
  return success({ roots: root.children, marks: [...marks] });
}

/** The first child of a name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** The text of a leaf: "" where it is only the line break and indent that a pretty printer put in. */
export function leafText(element: XmlElement): string {
  const { text } = element;
  return text.includes("\n") && text.trim() === "" ? "" : text;
}

function closeElement(text: string, tag: number, open: OpenElement[], marks: Set<string>): number {
  const end = text.indexOf(">", tag);
  const name = localName(text.slice(tag + 2, end === -1 ? text.length : end).trim());
  for (let depth = open.length - 1; depth > 0; depth -= 1) {
    if ((open[depth] as OpenElement).name !== name) continue;
    if (depth !== open.length - 1) marks.add("xml-repaired");
    open.length = depth;
    return end === -1 ? text.length : end + 1;
  }
  // `</Dat` at the end of a cut text closes what is open; any other stray end tag is passed over.
  marks.add(end === -1 ? "cut" : "xml-repaired");
  return end === -1 ? text.length : end + 1;
}

interface ReadTag {
  readonly element: OpenElement;
  readonly closed: boolean;
  readonly end: number;
}

/** A start tag from its `<`; `undefined` when it has too many attributes. */
function readTag(text: string, tag: number, marks: Set<string>): ReadTag | undefined {
  let at = endOfName(text, tag + 1);
  const attributes = new Map<string, string>();
  const element = { name: localName(text.slice(tag + 1, at)), attributes, children: [], text: "" };
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (isBlank(c)) at += 1;
    else if (c === 0x3e) return { element, closed: false, end: at + 1 };
    else if (c === 0x2f) {
      if (text.charCodeAt(at + 1) === 0x3e) return { element, closed: true, end: at + 2 };
      at += 1;
    } else if (c === 0x3c) {
      marks.add("cut");
      return { element, closed: false, end: at };
    } else {
      if (attributes.size >= XML_ATTRIBUTES_MAX) return undefined;
      at = readAttribute(text, at, attributes, marks);
    }
  }
  marks.add("cut");
  return { element, closed: false, end: text.length };
}

/** What closes a value; word processors and web pages turn the quotes of pasted XML into typographic ones. */
const CLOSING_QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\u201c": "\u201d",
  "\u201d": "\u201d",
  "\u2018": "\u2019",
  "\u2019": "\u2019",
  "\u201e": "\u201c",
};

function readAttribute(text: string, start: number, attributes: Map<string, string>, marks: Set<string>): number {
  let at = endOfName(text, start);
  if (at === start) {
    marks.add("xml-repaired");
    return start + 1;
  }
  const name = localName(text.slice(start, at));
  while (isBlank(text.charCodeAt(at))) at += 1;
  if (text.charCodeAt(at) !== 0x3d) return at;
  at += 1;
  while (isBlank(text.charCodeAt(at))) at += 1;
  const quote = CLOSING_QUOTES[text[at] ?? ""];
  if (quote === undefined) return at;
  const end = text.indexOf(quote, at + 1);
  if (end === -1) {
    // Cut inside the value: what is there of an attribute is not its value.
    marks.add("cut");
    return text.length;
  }
  if (!attributes.has(name)) attributes.set(name, readReferences(text.slice(at + 1, end), marks));
  return end + 1;
}

const REFERENCE = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Replaces the five named references and the numeric ones; any other stays as it is written. CRLF is LF, as XML reads it. */
export function readReferences(text: string, marks: Set<string>): string {
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  if (!lines.includes("&")) return lines;
  return lines.replace(REFERENCE, (_all, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? "";
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const allowed = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code !== 0xfffe && code !== 0xffff);
    if (!allowed) marks.add("forbidden-character");
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      marks.add("forbidden-character");
      return "\ufffd";
    }
    return String.fromCodePoint(code);
  });
}

function localName(name: string): string {
  const colon = name.indexOf(":");
  return colon === -1 ? name : name.slice(colon + 1);
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function isNameStart(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x5f || c > 0x7f;
}

function endOfName(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (isBlank(c) || c === 0x3d || c === 0x3e || c === 0x2f || c === 0x3c || c === 0x22 || c === 0x27) break;
  }
  return at;
}
