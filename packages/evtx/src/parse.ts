/**
 * Binary XML to nodes. Two places hold it: template definitions, whose elements carry a dependency id, and fragments in a
 * record or a value of type 0x21, whose elements do not.
 *
 * Source: MS-EVEN6 2.2.12 (tokens), libevtx "Windows XML Event Log (EVTX)", sections "Binary XML" and "Token types".
 */
import type { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import { Frame } from "./frame.ts";
import type { AttributeNode, ElementNode, Node, Template, TextNode, ValueNode } from "./nodes.ts";
import { utf16Text } from "./text.ts";
import { fixedSize, STRING_TYPE, valueText } from "./value.ts";

/** Elements inside elements. Windows nests below ten; the limit keeps the stack safe. */
const DEPTH_MAX = 64;

/** Tokens without the flag 0x40, "more follows". */
const END_OF_FRAGMENT = 0x00;
const OPEN_START = 0x01;
const CLOSE_START = 0x02;
const CLOSE_EMPTY = 0x03;
const CLOSE_ELEMENT = 0x04;
const VALUE = 0x05;
const ATTRIBUTE = 0x06;
const CDATA = 0x07;
const CHARACTER = 0x08;
const ENTITY = 0x09;
const INSTRUCTION_TARGET = 0x0a;
const INSTRUCTION_DATA = 0x0b;
const INSTANCE = 0x0c;
const SUBSTITUTION = 0x0d;
const OPTIONAL_SUBSTITUTION = 0x0e;
export const FRAGMENT_HEADER = 0x0f;
export const TEMPLATE_INSTANCE = INSTANCE;

const MORE_FOLLOWS = 0x40;

/** The template of an instance, parsed once per chunk. */
export function templateOf(chunk: ChunkData, frame: Frame): Template {
  const held = chunk.templates.get(frame.definitionAt);
  if (held !== undefined) return held;
  const end = frame.definitionAt + frame.definitionSize;
  chunk.charge(frame.definitionSize, frame.definitionAt);
  const template = { at: frame.definitionAt, nodes: new Parser(chunk, end, true).nodes(frame.definitionAt) };
  chunk.templates.set(frame.definitionAt, template);
  return template;
}

/** The nodes of a fragment that is no template: a record's own, or a value of type 0x21. */
export function parseFragment(chunk: ChunkData, at: number, end: number): readonly Node[] {
  chunk.charge(end - at, at);
  return new Parser(chunk, end, false).nodes(at);
}

class Parser {
  private readonly chunk: ChunkData;
  private readonly end: number;
  private readonly inTemplate: boolean;
  private at = 0;
  private depth = 0;

  constructor(chunk: ChunkData, end: number, inTemplate: boolean) {
    this.chunk = chunk;
    this.end = end;
    this.inTemplate = inTemplate;
  }

  nodes(at: number): Node[] {
    this.at = at;
    const nodes: Node[] = [];
    while (this.at < this.end) {
      const token = this.token();
      if (token === END_OF_FRAGMENT) break;
      if (token === FRAGMENT_HEADER) this.skip(4);
      else nodes.push(this.content(token));
    }
    return nodes;
  }

  private element(): ElementNode {
    if (this.depth === DEPTH_MAX) throw new Damage("evtx.limit", `${DEPTH_MAX} elements inside each other`, this.at);
    this.depth += 1;
    // Token, dependency id (in templates), size of the element.
    const hasAttributes = (this.chunk.bytes[this.at] as number) & MORE_FOLLOWS;
    this.skip(this.inTemplate ? 7 : 5);
    const name = this.name();
    if (hasAttributes) this.skip(4);
    const attributes: AttributeNode[] = [];
    let token = this.token();
    while (token === ATTRIBUTE) {
      this.skip(1);
      attributes.push({ name: this.name(), parts: this.attributeParts() });
      token = this.token();
    }
    const children: Node[] = [];
    if (token === CLOSE_START) {
      this.skip(1);
      token = this.token();
      while (token !== CLOSE_ELEMENT) {
        children.push(this.content(token));
        token = this.token();
      }
    } else if (token !== CLOSE_EMPTY) throw this.unexpected(token, "in a start tag");
    this.skip(1);
    this.depth -= 1;
    return { kind: "element", name, attributes, children };
  }

  private content(token: number): Node {
    switch (token) {
      case OPEN_START:
        return this.element();
      case INSTANCE: {
        const frame = new Frame(this.chunk).open(this.at, this.end);
        this.at = frame.start(frame.count);
        return { kind: "instance", frame };
      }
      case INSTRUCTION_TARGET:
        return this.instruction();
      default:
        return this.part(token);
    }
  }

  private attributeParts(): (TextNode | ValueNode)[] {
    const parts: (TextNode | ValueNode)[] = [];
    for (;;) {
      const token = this.token();
      if (token === ATTRIBUTE || token === CLOSE_START || token === CLOSE_EMPTY) return parts;
      parts.push(this.part(token));
    }
  }

  private part(token: number): TextNode | ValueNode {
    switch (token) {
      case VALUE:
        return { kind: "text", text: this.constant() };
      case CDATA:
        this.skip(1);
        return { kind: "text", text: this.countedText() };
      case CHARACTER:
        this.skip(3);
        return { kind: "text", text: String.fromCharCode(this.chunk.view.getUint16(this.at - 2, true)) };
      case ENTITY:
        this.skip(1);
        return { kind: "text", text: entityText(this.name()) };
      case SUBSTITUTION:
      case OPTIONAL_SUBSTITUTION:
        this.skip(4);
        return {
          kind: "value",
          index: this.chunk.view.getUint16(this.at - 3, true),
          optional: token === OPTIONAL_SUBSTITUTION,
        };
      default:
        throw this.unexpected(token, "in content");
    }
  }

  /** A constant value; Windows writes strings only, other types of a fixed size are read as well. */
  private constant(): string {
    this.skip(2);
    const type = this.chunk.bytes[this.at - 1] as number;
    if (type === STRING_TYPE) return this.countedText();
    const size = fixedSize(type);
    if (size === undefined) throw new Damage("evtx.binxml", `a constant of type ${type}`, this.at);
    this.skip(size);
    return valueText(this.chunk, type, this.at - size, size);
  }

  private countedText(): string {
    this.skip(2);
    const size = 2 * this.chunk.view.getUint16(this.at - 2, true);
    this.skip(size);
    return utf16Text(this.chunk.bytes, this.at - size, size);
  }

  private instruction(): Node {
    this.skip(1);
    const target = this.name();
    let data = "";
    if (this.at < this.end && this.token() === INSTRUCTION_DATA) {
      this.skip(1);
      data = this.countedText();
    }
    return { kind: "instruction", target, data };
  }

  /** A name by its offset; at its first use in the chunk it stands right here. */
  private name(): string {
    this.skip(4);
    const offset = this.chunk.view.getUint32(this.at - 4, true);
    if (offset === this.at) this.skip(this.chunk.nameSize(offset));
    return this.chunk.name(offset);
  }

  private token(): number {
    this.chunk.need(this.at, 1, this.end);
    return (this.chunk.bytes[this.at] as number) & ~MORE_FOLLOWS;
  }

  private skip(size: number): void {
    this.chunk.need(this.at, size, this.end);
    this.at += size;
  }

  private unexpected(token: number, where: string): Damage {
    return new Damage("evtx.binxml", `token 0x${token.toString(16)} ${where}`, this.at);
  }
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

function entityText(name: string): string {
  return ENTITIES.get(name) ?? `&${name};`;
}
