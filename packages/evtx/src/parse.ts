/** A canonical sequence of binary XML as nodes. The sequence comes from `scan.ts`, which has checked its shape. */
import type { ChunkData } from "./chunk-data.ts";
import { Frame } from "./frame.ts";
import type { AttributeNode, ElementNode, Node, TextNode, ValueNode } from "./nodes.ts";
import { MARK, type Scanner } from "./scan.ts";
import { stringOf } from "./strings.ts";

/** The nodes of the scanner's last sequence; instances inside it belong to the chunk. */
export function nodesOf(chunk: ChunkData, scanner: Scanner): readonly Node[] {
  return new Parser(chunk, scanner).nodes();
}

class Parser {
  private readonly chunk: ChunkData;
  private readonly sequence: Int32Array;
  private readonly length: number;
  private at = 0;

  constructor(chunk: ChunkData, scanner: Scanner) {
    this.chunk = chunk;
    this.sequence = scanner.sequence;
    this.length = scanner.length;
  }

  nodes(): Node[] {
    const nodes: Node[] = [];
    while (this.at < this.length && this.sequence[this.at] !== MARK.end) nodes.push(this.node());
    return nodes;
  }

  private node(): Node {
    const mark = this.next();
    switch (mark) {
      case MARK.element:
        return this.element();
      case MARK.instruction:
        return { kind: "instruction", target: stringOf(this.next()), data: stringOf(this.next()) };
      case MARK.instance:
        return { kind: "instance", frame: new Frame(this.chunk).open(this.next(), this.chunk.length) };
      default:
        return this.part(mark);
    }
  }

  private element(): ElementNode {
    const name = stringOf(this.next());
    const attributes: AttributeNode[] = [];
    while (this.next() === MARK.attribute) attributes.push(this.attribute());
    const children = this.nodes();
    this.next();
    return { kind: "element", name, attributes, children };
  }

  private attribute(): AttributeNode {
    const name = stringOf(this.next());
    const parts: (TextNode | ValueNode)[] = [];
    while (this.sequence[this.at] !== MARK.attribute && this.sequence[this.at] !== MARK.content) {
      parts.push(this.part(this.next()));
    }
    return { name, parts };
  }

  private part(mark: number): TextNode | ValueNode {
    if (mark === MARK.text) return { kind: "text", text: stringOf(this.next()) };
    return { kind: "value", index: this.next(), optional: mark === MARK.optionalValue };
  }

  private next(): number {
    const value = this.sequence[this.at] as number;
    this.at += 1;
    return value;
  }
}
