/**
 * Templates by content. Every chunk of a log brings its own copy of the same few dozen definitions; the one that was
 * understood for an earlier chunk serves again when the canonical sequences are equal, number by number.
 */
import type { ChunkData } from "./chunk-data.ts";
import { Damage } from "./failure.ts";
import type { Frame } from "./frame.ts";
import type { Node, Template } from "./nodes.ts";
import { nodesOf } from "./parse.ts";
import { Scanner } from "./scan.ts";
import { forgetStrings, isFullOfStrings } from "./strings.ts";

interface KnownTemplate {
  readonly sequence: Int32Array;
  readonly template: Template;
}

/** Numbers of sequences held at once; a Windows log has some ten thousand. */
const NUMBERS_MAX = 256 * 1024;

/** Templates of one hash; more are not chance, and the others are understood anew each time. */
const COLLISIONS_MAX = 8;

const known = new Map<number, KnownTemplate[]>();
let numbers = 0;

/** The template of an instance, scanned once per chunk. Errors: `Damage`. */
export function templateOf(chunk: ChunkData, frame: Frame): Template {
  const { definitionAt, definitionSize } = frame;
  const held = chunk.templates.get(definitionAt);
  if (held instanceof Damage) throw held;
  if (held !== undefined) return held;
  try {
    chunk.charge(definitionSize, definitionAt);
    const scanner = scan(chunk, definitionAt, definitionAt + definitionSize, true);
    const template = scanner.isPortable ? knownTemplate(chunk, scanner) : { nodes: nodesOf(chunk, scanner) };
    chunk.templates.set(definitionAt, template);
    return template;
  } catch (thrown) {
    // The other records of this template fail for the same reason, at no cost.
    if (thrown instanceof Damage) chunk.templates.set(definitionAt, thrown);
    throw thrown;
  }
}

/** The nodes of a fragment that is no template: a record's own, or a value of type 0x21. Errors: `Damage`. */
export function parseFragment(chunk: ChunkData, at: number, end: number): readonly Node[] {
  chunk.charge(end - at, at);
  return nodesOf(chunk, scan(chunk, at, end, false));
}

function scan(chunk: ChunkData, at: number, end: number, inTemplate: boolean): Scanner {
  if (isFullOfStrings() || numbers > NUMBERS_MAX) {
    forgetStrings();
    known.clear();
    numbers = 0;
  }
  chunk.scanner ??= new Scanner(chunk);
  chunk.scanner.scan(at, end, inTemplate);
  return chunk.scanner;
}

function knownTemplate(chunk: ChunkData, scanner: Scanner): Template {
  const { hash, length, sequence } = scanner;
  let candidates = known.get(hash);
  if (candidates === undefined) {
    candidates = [];
    known.set(hash, candidates);
  }
  for (const candidate of candidates) if (isSame(candidate.sequence, sequence, length)) return candidate.template;
  const template = { nodes: nodesOf(chunk, scanner) };
  if (candidates.length < COLLISIONS_MAX) {
    candidates.push({ sequence: sequence.slice(0, length), template });
    numbers += length;
  }
  return template;
}

function isSame(held: Int32Array, sequence: Int32Array, length: number): boolean {
  if (held.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (held[i] !== sequence[i]) return false;
  return true;
}
