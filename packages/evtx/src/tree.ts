/**
 * A record as a tree: templates with their values put in. This is the plain reading of the format; `program.ts` is the
 * quick one for the shapes that Windows writes, and must give the same fields.
 */
import type { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import type { Frame } from "./frame.ts";
import type { AttributeNode, ElementNode, InstructionNode, Node, TextNode, ValueNode } from "./nodes.ts";
import { parseFragment, templateOf } from "./templates.ts";
import { ARRAY_FLAG, arrayTexts, BINXML_TYPE, NULL_TYPE, valueText } from "./value.ts";

export interface Element {
  readonly kind: "element";
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly children: readonly Child[];
}

export interface Attribute {
  readonly name: string;
  readonly value: string;
}

export type Child = Element | InstructionNode | string;

/** Templates and fragments inside each other. Windows nests three deep; a template may name itself, which ends here. */
const NESTING_MAX = 16;
/** Nodes of one record; a record of 64 KiB without tricks cannot hold more. */
export const NODES_MAX = 20_000;
/** Characters of one record: the hex of 64 KiB and as much again. */
export const CHARACTERS_MAX = 256 * 1024;

/** The nodes of a record's binary XML with its values put in. Errors: `Damage` for unreadable or boundless content. */
export function buildTree(chunk: ChunkData, at: number, end: number): readonly Child[] {
  const builder = new Builder(chunk);
  try {
    return builder.fragment(at, end);
  } finally {
    chunk.spend(builder.characters, builder.nodes);
  }
}

class Builder {
  private readonly chunk: ChunkData;
  private nesting = 0;
  nodes = 0;
  characters = 0;

  constructor(chunk: ChunkData) {
    this.chunk = chunk;
  }

  fragment(at: number, end: number): readonly Child[] {
    const children: Child[] = [];
    this.expand(parseFragment(this.chunk, at, end), undefined, children);
    return children;
  }

  private expand(nodes: readonly Node[], frame: Frame | undefined, out: Child[]): void {
    for (const node of nodes) {
      this.count();
      switch (node.kind) {
        case "element":
          this.element(node, frame, out);
          break;
        case "text":
          this.text(node.text, out);
          break;
        case "instruction":
          out.push(node);
          break;
        case "instance":
          this.enter(node.frame.definitionAt);
          this.expand(templateOf(this.chunk, node.frame).nodes, node.frame, out);
          this.nesting -= 1;
          break;
        case "value":
          if (frame !== undefined) this.value(node, frame, out);
          break;
      }
    }
  }

  /** An element; once for each item when it holds an array, not at all when its only content is optional and null. */
  private element(node: ElementNode, frame: Frame | undefined, out: Child[]): void {
    const only = node.children.length === 1 ? node.children[0] : undefined;
    if (only?.kind === "value" && only.optional && isNull(frame, only.index)) return;
    const array = frame === undefined ? undefined : firstArray(node, frame);
    if (frame === undefined || array === undefined) {
      const children: Child[] = [];
      this.expand(node.children, frame, children);
      out.push({ kind: "element", name: node.name, attributes: this.attributes(node.attributes, frame), children });
      return;
    }
    const items = this.items(frame, array.index);
    for (const item of items.length === 0 ? [""] : items) {
      this.count();
      const children: Child[] = [];
      for (const child of node.children) {
        if (child === array) this.text(item, children);
        else this.expand([child], frame, children);
      }
      out.push({ kind: "element", name: node.name, attributes: this.attributes(node.attributes, frame), children });
    }
  }

  private attributes(nodes: readonly AttributeNode[], frame: Frame | undefined): Attribute[] {
    const attributes: Attribute[] = [];
    for (const { name, parts } of nodes) {
      this.count();
      const only = parts.length === 1 ? parts[0] : undefined;
      if (only?.kind === "value" && only.optional && isNull(frame, only.index)) continue;
      attributes.push({ name, value: parts.map((part) => this.partText(part, frame)).join("") });
    }
    return attributes;
  }

  private partText(part: TextNode | ValueNode, frame: Frame | undefined): string {
    if (part.kind === "text") return this.spend(part.text);
    if (frame === undefined || part.index >= frame.count) return "";
    return this.scalar(frame, part.index);
  }

  private value(node: ValueNode, frame: Frame, out: Child[]): void {
    const { index } = node;
    if (index >= frame.count) return;
    if (frame.type(index) !== BINXML_TYPE) {
      this.text(this.scalar(frame, index), out);
      return;
    }
    const end = frame.start(index + 1);
    const at = frame.start(index);
    this.enter(at);
    this.expand(parseFragment(this.chunk, at, end), undefined, out);
    this.nesting -= 1;
  }

  /** A value as one text; an array that cannot repeat its element is joined with commas. */
  private scalar(frame: Frame, index: number): string {
    const type = frame.type(index);
    if (type & ARRAY_FLAG) return this.items(frame, index).join(",");
    const end = frame.start(index + 1);
    const at = frame.start(index);
    return this.spend(valueText(this.chunk, type, at, end - at));
  }

  private items(frame: Frame, index: number): string[] {
    const end = frame.start(index + 1);
    const at = frame.start(index);
    const items = arrayTexts(this.chunk, frame.type(index) & ~ARRAY_FLAG, at, end - at);
    for (const item of items) this.spend(item);
    return items;
  }

  private text(text: string, out: Child[]): void {
    if (text !== "") out.push(this.spend(text));
  }

  private enter(at: number): void {
    this.nesting += 1;
    if (this.nesting > NESTING_MAX) throw new Damage("evtx.limit", "templates inside each other without end", at);
  }

  private count(): void {
    this.nodes += 1;
    if (this.nodes > NODES_MAX) throw new Damage("evtx.limit", `more than ${NODES_MAX} nodes in a record`);
  }

  private spend(text: string): string {
    this.characters += text.length;
    if (this.characters > CHARACTERS_MAX)
      throw new Damage("evtx.limit", `more than ${CHARACTERS_MAX} characters in a record`);
    return text;
  }
}

function isNull(frame: Frame | undefined, index: number): boolean {
  return frame === undefined || frame.type(index) === NULL_TYPE;
}

/** The first array among the direct values of an element; Windows repeats the element for its items. */
function firstArray(node: ElementNode, frame: Frame): ValueNode | undefined {
  for (const child of node.children) {
    if (child.kind === "value" && frame.type(child.index) & ARRAY_FLAG) return child;
  }
  return undefined;
}
