/**
 * Binary XML to a canonical sequence of numbers: tokens, and the strings between them as ids. Offsets, sizes and the place
 * where a name happens to be stored fall away, so one template gives the same sequence in every chunk and needs to be
 * understood only once (`templates.ts`). This is the only reader of binary XML tokens.
 *
 * Source: MS-EVEN6 2.2.12 (tokens), libevtx "Windows XML Event Log (EVTX)", sections "Binary XML" and "Token types".
 */
import type { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import { Frame } from "./frame.ts";
import { stringId } from "./strings.ts";
import { utf16Text } from "./text.ts";
import { fixedSize, STRING_TYPE, valueText } from "./value.ts";

/** Elements inside elements. Windows nests below ten; the limit keeps the stack safe. */
const DEPTH_MAX = 64;

/** Tokens as stored, without the flag 0x40 ("more follows"). */
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
export const TEMPLATE_INSTANCE = 0x0c;
const SUBSTITUTION = 0x0d;
const OPTIONAL_SUBSTITUTION = 0x0e;
export const FRAGMENT_HEADER = 0x0f;

const MORE_FOLLOWS = 0x40;

/** Marks of the sequence; the numbers that follow each are in its comment. */
export const MARK = {
  /** Name. Attributes follow, then CONTENT, then the nodes inside, then END. */
  element: 1,
  /** Name. The parts of the value follow. */
  attribute: 2,
  content: 3,
  end: 4,
  /** String. */
  text: 5,
  /** Index. */
  value: 6,
  /** Index. */
  optionalValue: 7,
  /** Target and data. */
  instruction: 8,
  /** Offset in the chunk of the instance's token: such a sequence holds for this chunk only. */
  instance: 9,
} as const;

/** Where sequences are written. All scanners share it: a sequence is used up before the next scan. */
let buffer = new Int32Array(4_096);

export class Scanner {
  /** How long the last sequence is. */
  length = 0;
  /** A hash of the sequence. */
  hash = 0;
  /** Whether the sequence means the same in every chunk. */
  isPortable = true;
  private readonly chunk: ChunkData;
  private at = 0;
  private end = 0;
  private depth = 0;
  private inTemplate = false;

  constructor(chunk: ChunkData) {
    this.chunk = chunk;
  }

  /** The sequence of the last scan: the first `length` numbers. */
  get sequence(): Int32Array {
    return buffer;
  }

  /**
   * Scans a range of the chunk. Elements carry a dependency id in templates, and none in fragments that are no template.
   * Errors: `Damage`.
   */
  scan(at: number, end: number, inTemplate: boolean): void {
    this.length = 0;
    this.hash = 0;
    this.isPortable = true;
    this.at = at;
    this.end = end;
    this.depth = 0;
    this.inTemplate = inTemplate;
    while (this.at < end) {
      const token = this.token();
      if (token === END_OF_FRAGMENT) break;
      if (token === FRAGMENT_HEADER) this.skip(4);
      else this.content(token);
    }
  }

  private element(): void {
    if (this.depth === DEPTH_MAX) throw new Damage("evtx.limit", `${DEPTH_MAX} elements inside each other`, this.at);
    this.depth += 1;
    const hasAttributes = (this.chunk.bytes[this.at] as number) & MORE_FOLLOWS;
    // Token, dependency id (in templates), size of the element.
    this.skip(this.inTemplate ? 7 : 5);
    this.put(MARK.element);
    this.name();
    if (hasAttributes) this.skip(4);
    let token = this.token();
    while (token === ATTRIBUTE) {
      this.skip(1);
      this.put(MARK.attribute);
      this.name();
      token = this.token();
      while (token !== ATTRIBUTE && token !== CLOSE_START && token !== CLOSE_EMPTY) {
        this.part(token);
        token = this.token();
      }
    }
    this.put(MARK.content);
    if (token === CLOSE_START) {
      this.skip(1);
      token = this.token();
      while (token !== CLOSE_ELEMENT) {
        this.content(token);
        token = this.token();
      }
    } else if (token !== CLOSE_EMPTY) throw this.unexpected(token, "in a start tag");
    this.skip(1);
    this.put(MARK.end);
    this.depth -= 1;
  }

  private content(token: number): void {
    switch (token) {
      case OPEN_START:
        this.element();
        return;
      case TEMPLATE_INSTANCE: {
        this.isPortable = false;
        this.put(MARK.instance);
        this.put(this.at);
        const frame = new Frame(this.chunk).open(this.at, this.end);
        this.at = frame.start(frame.count);
        return;
      }
      case INSTRUCTION_TARGET:
        this.instruction();
        return;
      default:
        this.part(token);
    }
  }

  private part(token: number): void {
    switch (token) {
      case SUBSTITUTION:
      case OPTIONAL_SUBSTITUTION:
        this.skip(4);
        this.put(token === SUBSTITUTION ? MARK.value : MARK.optionalValue);
        this.put(this.chunk.view.getUint16(this.at - 3, true));
        return;
      case VALUE:
        this.putText(this.constant());
        return;
      case CDATA:
        this.skip(1);
        this.putText(this.countedText());
        return;
      case CHARACTER:
        this.skip(3);
        this.putText(String.fromCharCode(this.chunk.view.getUint16(this.at - 2, true)));
        return;
      case ENTITY:
        this.skip(1);
        this.putText(entityText(this.chunk.name(this.nameOffset())));
        return;
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
    return utf16Text(this.chunk.view, this.at - size, size);
  }

  private instruction(): void {
    this.skip(1);
    this.put(MARK.instruction);
    this.name();
    let data = "";
    if (this.at < this.end && this.token() === INSTRUCTION_DATA) {
      this.skip(1);
      data = this.countedText();
    }
    this.put(stringId(data));
  }

  private name(): void {
    this.put(this.chunk.nameId(this.nameOffset()));
  }

  /** Where a name is stored; at its first use in the chunk it stands right here. */
  private nameOffset(): number {
    this.skip(4);
    const offset = this.chunk.view.getUint32(this.at - 4, true);
    if (offset === this.at) this.skip(this.chunk.nameSize(offset));
    return offset;
  }

  private putText(text: string): void {
    this.put(MARK.text);
    this.put(stringId(text));
  }

  private put(value: number): void {
    if (this.length === buffer.length) {
      const longer = new Int32Array(this.length * 2);
      longer.set(buffer);
      buffer = longer;
    }
    buffer[this.length] = value;
    this.length += 1;
    this.hash = (Math.imul(this.hash, 31) + value) | 0;
  }

  private token(): number {
    if (this.at >= this.end) this.chunk.need(this.at, 1, this.end);
    return (this.chunk.bytes[this.at] as number) & ~MORE_FOLLOWS;
  }

  private skip(size: number): void {
    if (this.at + size > this.end) this.chunk.need(this.at, size, this.end);
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
