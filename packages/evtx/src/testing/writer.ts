/**
 * Writes EVTX files, for tests: small, sound unless a test breaks them, with the things that readers trip over (names and
 * templates stored once and pointed at, nested instances, arrays) as Windows lays them out.
 */
import { crc32 } from "../crc32.ts";

export const CHUNK = 65_536;

export type SpecNode = ElementSpec | Substitution | Constant | string;

export interface ElementSpec {
  readonly name: string;
  readonly attributes: Readonly<Record<string, SpecNode | readonly SpecNode[]>>;
  readonly children: readonly SpecNode[];
}

export interface Substitution {
  readonly substitution: number;
  readonly optional: boolean;
}

/** Bytes of tokens as they stand: CDATA, references, instructions. */
export interface Constant {
  readonly write: (writer: ChunkWriter) => void;
}

export function element(
  name: string,
  attributes: Readonly<Record<string, SpecNode | readonly SpecNode[]>>,
  ...children: readonly SpecNode[]
): ElementSpec {
  return { name, attributes, children };
}

export function substitution(index: number, optional = false): Substitution {
  return { substitution: index, optional };
}

/** A value of an instance; `write` puts its bytes where they belong. */
export interface ValueSpec {
  readonly type: number;
  readonly write: (writer: ChunkWriter) => void;
}

/** A template is known by its identity: the same object is defined once in a chunk. */
export interface TemplateSpec {
  readonly root: readonly SpecNode[];
}

export interface RecordSpec {
  readonly id?: bigint;
  readonly fileTime?: bigint;
  readonly template: TemplateSpec;
  readonly values: readonly ValueSpec[];
}

function bytesOf(size: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}

function utf16(text: string): Uint8Array {
  return bytesOf(text.length * 2, (view) => {
    for (let i = 0; i < text.length; i += 1) view.setUint16(i * 2, text.charCodeAt(i), true);
  });
}

function raw(type: number, bytes: Uint8Array): ValueSpec {
  return { type, write: (writer) => writer.raw(bytes) };
}

export const NULL_VALUE: ValueSpec = raw(0x00, new Uint8Array());

export const value = {
  raw,
  text: (text: string): ValueSpec => raw(0x01, utf16(text)),
  texts: (...texts: string[]): ValueSpec => raw(0x81, utf16(texts.map((text) => `${text}\0`).join(""))),
  ansi: (text: string): ValueSpec =>
    raw(
      0x02,
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
    ),
  uint8: (n: number): ValueSpec => raw(0x04, Uint8Array.of(n)),
  uint16: (n: number): ValueSpec =>
    raw(
      0x06,
      bytesOf(2, (view) => view.setUint16(0, n, true)),
    ),
  uint32: (n: number): ValueSpec =>
    raw(
      0x08,
      bytesOf(4, (view) => view.setUint32(0, n, true)),
    ),
  uint64: (n: bigint): ValueSpec =>
    raw(
      0x0a,
      bytesOf(8, (view) => view.setBigUint64(0, n, true)),
    ),
  hex64: (n: bigint): ValueSpec =>
    raw(
      0x15,
      bytesOf(8, (view) => view.setBigUint64(0, n, true)),
    ),
  fileTime: (n: bigint): ValueSpec =>
    raw(
      0x11,
      bytesOf(8, (view) => view.setBigUint64(0, n, true)),
    ),
  binary: (...bytes: number[]): ValueSpec => raw(0x0e, Uint8Array.from(bytes)),
  /** S-1-5-18. */
  localSystem: raw(0x13, Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0)),
  /** A fragment with one instance of a template. */
  nested: (template: TemplateSpec, values: readonly ValueSpec[]): ValueSpec => ({
    type: 0x21,
    write: (writer) => {
      writer.raw(Uint8Array.of(0x0f, 1, 1, 0));
      writer.instance(template, values);
      writer.raw(Uint8Array.of(0));
    },
  }),
  /** A fragment of elements without a template. */
  fragment: (...nodes: readonly SpecNode[]): ValueSpec => ({
    type: 0x21,
    write: (writer) => {
      writer.raw(Uint8Array.of(0x0f, 1, 1, 0));
      writer.nodes(nodes, false);
      writer.raw(Uint8Array.of(0));
    },
  }),
};

/** Tokens beside elements, values and substitutions. */
export const token = {
  cdata: (text: string): Constant => ({
    write: (writer) => {
      writer.raw(Uint8Array.of(0x07));
      writer.counted(text);
    },
  }),
  character: (code: number): Constant => ({
    write: (writer) => writer.raw(Uint8Array.of(0x08, code & 0xff, code >> 8)),
  }),
  entity: (name: string): Constant => ({
    write: (writer) => {
      writer.raw(Uint8Array.of(0x09));
      writer.name(name);
    },
  }),
  instruction: (target: string, data: string): Constant => ({
    write: (writer) => {
      writer.raw(Uint8Array.of(0x0a));
      writer.name(target);
      writer.raw(Uint8Array.of(0x0b));
      writer.counted(data);
    },
  }),
  instance: (template: TemplateSpec, values: readonly ValueSpec[]): Constant => ({
    write: (writer) => writer.instance(template, values),
  }),
};

export const BASE_TIME = 133_537_608_001_234_567n; // 2024-03-01T10:00:00.1234567Z

export class ChunkWriter {
  private readonly bytes = new Uint8Array(CHUNK);
  private readonly view = new DataView(this.bytes.buffer);
  private readonly names = new Map<string, number>();
  private readonly templates = new Map<TemplateSpec, number>();
  private at = 512;
  private last = 512;
  private firstId: bigint | undefined;
  private nextId = 1n;

  constructor(firstId = 1n) {
    this.nextId = firstId;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  counted(text: string): void {
    this.uint16(text.length);
    this.raw(utf16(text));
  }

  name(text: string): void {
    const held = this.names.get(text);
    this.uint32(held ?? this.at + 4);
    if (held !== undefined) return;
    this.names.set(text, this.at);
    this.uint32(0);
    this.uint16(0);
    this.counted(text);
    this.uint16(0);
  }

  nodes(nodes: readonly SpecNode[], inTemplate: boolean): void {
    for (const node of nodes) {
      if (typeof node === "string") {
        this.raw(Uint8Array.of(0x05, 0x01));
        this.counted(node);
      } else if ("substitution" in node) {
        this.raw(Uint8Array.of(node.optional ? 0x0e : 0x0d, node.substitution & 0xff, node.substitution >> 8, 0x01));
      } else if ("write" in node) node.write(this);
      else this.element(node, inTemplate);
    }
  }

  instance(template: TemplateSpec, values: readonly ValueSpec[]): void {
    this.raw(Uint8Array.of(0x0c, 1));
    this.uint32(7);
    const held = this.templates.get(template);
    this.uint32(held ?? this.at + 4);
    if (held === undefined) this.define(template);
    this.uint32(values.length);
    const table = this.at;
    this.at += values.length * 4;
    for (const [i, { type, write }] of values.entries()) {
      const start = this.at;
      write(this);
      this.view.setUint16(table + i * 4, this.at - start, true);
      this.view.setUint8(table + i * 4 + 2, type);
    }
  }

  /** Adds a record; returns its offset in the chunk. */
  record({ id = this.nextId, fileTime = BASE_TIME, template, values }: RecordSpec): number {
    return this.recordOf(id, fileTime, () => {
      this.raw(Uint8Array.of(0x0f, 1, 1, 0));
      this.instance(template, values);
      this.raw(Uint8Array.of(0));
    });
  }

  /** Adds a record with binary XML of any shape. */
  recordOf(id: bigint, fileTime: bigint, write: (writer: ChunkWriter) => void): number {
    const start = this.at;
    this.raw(Uint8Array.of(0x2a, 0x2a, 0, 0, 0, 0, 0, 0));
    this.uint64(id);
    this.uint64(fileTime);
    write(this);
    this.at = start + ((this.at - start + 4 + 7) & ~7);
    this.view.setUint32(start + 4, this.at - start, true);
    this.view.setUint32(this.at - 4, this.at - start, true);
    this.firstId ??= id;
    this.nextId = id + 1n;
    this.last = start;
    return start;
  }

  /** The chunk with its header and checksums. */
  finish(): Uint8Array {
    const { bytes, view } = this;
    for (const [i, character] of [..."ElfChnk\0"].entries()) bytes[i] = character.charCodeAt(0);
    const first = this.firstId ?? 1n;
    for (const at of [8, 24]) {
      view.setBigUint64(at, first, true);
      view.setBigUint64(at + 8, this.nextId - 1n, true);
    }
    view.setUint32(40, 128, true);
    view.setUint32(44, this.last, true);
    view.setUint32(48, this.at, true);
    view.setUint32(52, crc32(bytes.subarray(512, this.at)), true);
    view.setUint32(124, crc32(bytes.subarray(128, 512), crc32(bytes.subarray(0, 120))), true);
    return bytes;
  }

  private define(template: TemplateSpec): void {
    this.templates.set(template, this.at);
    this.at += 20;
    this.patched(4, () => {
      this.raw(Uint8Array.of(0x0f, 1, 1, 0));
      this.nodes(template.root, true);
      this.raw(Uint8Array.of(0));
    });
  }

  private element({ name, attributes, children }: ElementSpec, inTemplate: boolean): void {
    const entries = Object.entries(attributes);
    this.raw(Uint8Array.of(entries.length > 0 ? 0x41 : 0x01));
    if (inTemplate) this.uint16(0xffff);
    this.patched(4, () => {
      this.name(name);
      if (entries.length > 0) {
        this.patched(4, () => {
          for (const [i, [key, content]] of entries.entries()) {
            this.raw(Uint8Array.of(i < entries.length - 1 ? 0x46 : 0x06));
            this.name(key);
            this.nodes(Array.isArray(content) ? content : [content as SpecNode], inTemplate);
          }
        });
      }
      if (children.length === 0) this.raw(Uint8Array.of(0x03));
      else {
        this.raw(Uint8Array.of(0x02));
        this.nodes(children, inTemplate);
        this.raw(Uint8Array.of(0x04));
      }
    });
  }

  /** Writes what `fill` writes behind its size. */
  private patched(size: 4, fill: () => void): void {
    const start = this.at;
    this.at += size;
    fill();
    this.view.setUint32(start, this.at - start - size, true);
  }

  private uint16(n: number): void {
    this.view.setUint16(this.at, n, true);
    this.at += 2;
  }

  private uint32(n: number): void {
    this.view.setUint32(this.at, n, true);
    this.at += 4;
  }

  private uint64(n: bigint): void {
    this.view.setBigUint64(this.at, n, true);
    this.at += 8;
  }
}

/** A file of chunks with a sound header. */
export function fileOf(...chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(4_096 + chunks.length * CHUNK);
  const view = new DataView(bytes.buffer);
  for (const [i, character] of [..."ElfFile\0"].entries()) bytes[i] = character.charCodeAt(0);
  view.setBigUint64(16, BigInt(Math.max(chunks.length - 1, 0)), true);
  view.setUint32(32, 128, true);
  view.setUint16(36, 1, true);
  view.setUint16(38, 3, true);
  view.setUint16(40, 4_096, true);
  view.setUint16(42, chunks.length, true);
  view.setUint32(124, crc32(bytes.subarray(0, 120)), true);
  for (const [i, chunk] of chunks.entries()) bytes.set(chunk, 4_096 + i * CHUNK);
  return bytes;
}
