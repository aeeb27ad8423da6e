/**
 * Leaves out lines of JSON before they are framed: bytes in; stretches to frame and lines that no rule wants out, in the
 * order of the input. Only what is certain is left out; every other byte is framed as if there were no sieve.
 *
 * States: while the framer holds an unfinished record, what comes goes to it, up to where a line begins with `{"`. Once it
 * is idle, lines that begin so are scanned. A line that the scan stops at goes to the framer, with all that follows it up
 * to the next such line. A line whose end has not come yet is kept here, unless it is a whole object already: a live
 * stream may say nothing more for long.
 */
import { type LineScanner, SCAN_MAX_BYTES } from "./line-scanner.ts";
import type { Shown } from "./selection.ts";
import type { WinlogbeatLines } from "./winlogbeat-lines.ts";

/** What to do with the next bytes: frame them, or let the framer know that so many are left out. */
export type Stretch =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "leave-out"; readonly length: number };

export interface SieveOptions {
  readonly scanner: LineScanner;
  readonly judge: WinlogbeatLines;
  /** Whether the framer is between records, with nothing kept. */
  isFramerIdle(): boolean;
  /** Told of each line that is left out, and where in the input it stood. */
  onLeftOut?(shown: Shown, offset: number): void;
  /** Asked of each line that could be left out. */
  canDoWithout?(shown: Shown): boolean;
}

const LF = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const QUOTE = 0x22;
const NEXT_OBJECT_LINE = Buffer.from('\n{"');
/** A line longer than this is framed as it comes. */
const KEPT_MAX_BYTES = 256 * 1024;

/** Sifts one input. */
export class LineSieve {
  readonly #options: SieveOptions;
  /** The beginning of a line whose end has not come. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Where in the input the next stretch begins. */
  #offset = 0;
  #isLineStart = true;

  constructor(options: SieveOptions) {
    this.#options = options;
  }

  /** Each stretch must have been dealt with before the next one is asked for. */
  *push(chunk: Uint8Array): Iterable<Stretch> {
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#keptBytes === 0) return yield* this.#sift(piece);
    // What was kept is put together with the rest of its line alone: all else stays where it is.
    const rest = piece.indexOf(LF) + 1 || piece.length;
    const isWhole = piece[rest - 1] === LF || piece[rest - 1] === CLOSE_BRACE;
    this.#keep(piece.subarray(0, rest));
    if (isWhole || this.#keptBytes > KEPT_MAX_BYTES) yield* this.#sift(this.#takeKept());
    if (rest < piece.length) yield* this.#sift(piece.subarray(rest));
  }

  *#sift(bytes: Buffer): Iterable<Stretch> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#options.isFramerIdle() && this.#isLineStart && beginsObject(bytes, at)) {
        const window = bytes.subarray(at, at + SCAN_MAX_BYTES);
        const { stop, end, stretches } = this.#scan(window);
        yield* stretches;
        at += end;
        if (at === bytes.length) return;
        const isMoreAtHand = at + window.length - end < bytes.length;
        if (stop === "full" || (stop !== "refused" && isMoreAtHand && end > 0)) continue;
        if (stop === "unfinished" && !isMoreAtHand && beginsObject(bytes, at) && bytes.length - at <= KEPT_MAX_BYTES) {
          return this.#keep(bytes.subarray(at));
        }
      }
      const next = bytes.indexOf(NEXT_OBJECT_LINE, at);
      const end = next === -1 ? bytes.length : next + 1;
      yield this.#frame(bytes.subarray(at, end));
      at = end;
    }
  }

  /** What was kept when the input ends. */
  *end(): Iterable<Stretch> {
    if (this.#keptBytes > 0) yield this.#frame(this.#takeKept());
  }

  /** The rows of a scan as stretches; read at once, because the scanner serves other inputs too. */
  #scan(window: Uint8Array): { stop: string; end: number; stretches: readonly Stretch[] } {
    const { scanner, judge, onLeftOut } = this.#options;
    const { rows, end, stop } = scanner.scan(window);
    const stretches: Stretch[] = [];
    let from = 0;
    let leavesOut = false;
    const close = (to: number): void => {
      if (to === from) return;
      stretches.push(leavesOut ? this.#leaveOut(to - from) : this.#frame(window.subarray(from, to)));
      from = to;
    };
    for (let row = 0; row < rows; row += 1) {
      const start = scanner.start(row);
      const passes = this.#canPass(row);
      if (passes !== leavesOut) {
        close(start);
        leavesOut = passes;
      }
      if (passes) onLeftOut?.(judge.shown(row), this.#offset + start - from);
    }
    close(end);
    return { stop, end, stretches };
  }

  /** What goes wrong while judging does so again where the line is framed, and then costs no other line anything. */
  #canPass(row: number): boolean {
    try {
      const { judge, canDoWithout } = this.#options;
      if (!judge.canPass(row)) return false;
      return canDoWithout === undefined || (judge.isReceiptKnown(row) && canDoWithout(judge.shown(row)));
    } catch {
      return false;
    }
  }

  /** A copy, so that the chunk it came in can go. */
  #keep(piece: Buffer): void {
    this.#kept.push(Buffer.from(piece));
    this.#keptBytes += piece.length;
  }

  #takeKept(): Buffer {
    const bytes = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    return bytes;
  }

  #frame(bytes: Uint8Array): Stretch {
    this.#offset += bytes.length;
    this.#isLineStart = bytes.at(-1) === LF;
    return { kind: "frame", bytes };
  }

  #leaveOut(length: number): Stretch {
    this.#offset += length;
    this.#isLineStart = true;
    return { kind: "leave-out", length };
  }
}

function beginsObject(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === OPEN_BRACE && bytes[at + 1] === QUOTE;
}
