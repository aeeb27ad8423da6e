/**
 * Leaves out lines of JSON and events of XML before they are framed: bytes in; stretches to frame, and what no rule wants,
 * out, in the order of the input. Only what is certain is left out; every other byte is framed as if there were no sieve.
 *
 * States: while the framer holds an unfinished record, what comes goes to it, up to a beginning: a line that begins with
 * `{"`, or `<Event xmlns=`. Once it is idle, lines that begin so are scanned, and events judged one by one. What cannot be
 * left out goes to the framer, with all that follows it up to the next beginning. A record whose end has not come yet is
 * kept here, unless it is a whole object already: a live stream may say nothing more for long.
 */
import { EVENT_XML_START, type EventXmlJudge } from "./event-xml-judge.ts";
import { type LineScanner, SCAN_MAX_BYTES } from "./line-scanner.ts";
import type { Shown } from "./selection.ts";
import { WINLOGBEAT, type WinlogbeatLines } from "./winlogbeat-lines.ts";

/** What to do with the next bytes: frame them, or let the framer know that so many are left out. */
export type Stretch =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "leave-out"; readonly length: number };

export interface SieveOptions {
  readonly scanner: LineScanner;
  readonly lines: WinlogbeatLines;
  readonly events: EventXmlJudge;
  /** Whether the framer is between records, with nothing kept and no text that goes on. */
  isIdle(): boolean;
  /** Told of each record that is left out: its format, and where in the input it stood. */
  onLeftOut?(shown: Shown, where: { readonly format: string; readonly offset: number }): void;
  /** Asked of each record that could be left out. */
  canDoWithout?(shown: Shown): boolean;
}

const EVENT_XML = "event-xml";
const LF = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LESS = 0x3c;
const QUOTE = 0x22;
const NEXT_OBJECT_LINE = Buffer.from('\n{"');
/** A record longer than this is framed as it comes. */
const KEPT_MAX_BYTES = 256 * 1024;

/** Sifts one input. */
export class LineSieve {
  readonly #options: SieveOptions;
  /** The beginning of a record whose end has not come. */
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
    let piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (piece.length > 0) {
      if (this.#keptBytes === 0) return yield* this.#sift(piece);
      // What was kept of a line is put together with the rest of it alone: all else stays where it is.
      const isEvent = this.#kept[0]?.[0] === LESS;
      const rest = isEvent ? piece.length : piece.indexOf(LF) + 1 || piece.length;
      const isWhole = isEvent || piece[rest - 1] === LF || piece[rest - 1] === CLOSE_BRACE;
      this.#keep(piece.subarray(0, rest));
      piece = piece.subarray(rest);
      if (isWhole || this.#keptBytes > KEPT_MAX_BYTES) yield* this.#sift(this.#takeKept());
    }
  }

  *#sift(bytes: Buffer): Iterable<Stretch> {
    const beginnings = new Beginnings(bytes);
    let at = 0;
    while (at < bytes.length) {
      if (this.#options.isIdle()) {
        const isLine = this.#isLineStart && beginsObject(bytes, at);
        const from = at;
        const found = isLine ? this.#lines(bytes, at) : this.#events(bytes, at);
        yield* found.stretches;
        at = found.end;
        if (at === bytes.length) return;
        if (found.isUnfinished && bytes.length - at <= KEPT_MAX_BYTES) return this.#keep(bytes.subarray(at));
        if (found.mayGoOn && at > from) continue;
      }
      const end = beginnings.next(at);
      yield this.#frame(bytes.subarray(at, end));
      at = end;
    }
  }

  /** What was kept when the input ends. */
  *end(): Iterable<Stretch> {
    if (this.#keptBytes > 0) yield this.#frame(this.#takeKept());
  }

  /** The lines of one scan; read at once, because the scanner serves other inputs too. */
  #lines(bytes: Buffer, at: number): Sifted {
    const { scanner, lines } = this.#options;
    const window = bytes.subarray(at, at + SCAN_MAX_BYTES);
    const { rows, end, stop } = scanner.scan(window);
    const stretches: Stretch[] = [];
    let from = 0;
    let leavesOut = false;
    const close = (to: number): void => {
      if (to === from) return;
      stretches.push(leavesOut ? this.#leaveOut(window.subarray(from, to)) : this.#frame(window.subarray(from, to)));
      from = to;
    };
    for (let row = 0; row < rows; row += 1) {
      const start = scanner.start(row);
      const passes = this.#canPass(row);
      if (passes !== leavesOut) {
        close(start);
        leavesOut = passes;
      }
      if (passes) {
        this.#options.onLeftOut?.(lines.shown(row), { format: WINLOGBEAT, offset: this.#offset + start - from });
      }
    }
    close(end);
    const isMoreAtHand = at + window.length < bytes.length;
    return {
      stretches,
      end: at + end,
      isUnfinished: stop === "unfinished" && !isMoreAtHand && beginsObject(window, end),
      mayGoOn: stop === "full" || (stop !== "refused" && isMoreAtHand),
    };
  }

  /** The events from a place on, up to the first that must be framed. */
  #events(bytes: Buffer, at: number): Sifted {
    const { events, canDoWithout, onLeftOut } = this.#options;
    let end = at;
    let isUnfinished = false;
    while (isEventAt(bytes, end)) {
      const judged = events.judge(bytes, end);
      isUnfinished = judged.kind === "unfinished";
      if (judged.kind !== "unwanted" || canDoWithout?.(judged.shown()) === false) break;
      onLeftOut?.(judged.shown(), { format: EVENT_XML, offset: this.#offset + end - at });
      end = judged.end;
    }
    const stretches = end === at ? [] : [this.#leaveOut(bytes.subarray(at, end))];
    return { stretches, end, isUnfinished, mayGoOn: false };
  }

  /** What goes wrong while judging does so again where the line is framed, and then costs no other line anything. */
  #canPass(row: number): boolean {
    try {
      const { lines, canDoWithout } = this.#options;
      if (!lines.canPass(row)) return false;
      return canDoWithout === undefined || (lines.isReceiptKnown(row) && canDoWithout(lines.shown(row)));
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

  #leaveOut(bytes: Uint8Array): Stretch {
    const { length } = bytes;
    this.#offset += length;
    this.#isLineStart = bytes[length - 1] === LF;
    return { kind: "leave-out", length };
  }
}

/** Records from a place on that were judged. */
interface Sifted {
  readonly stretches: readonly Stretch[];
  /** Where what was not judged begins. */
  readonly end: number;
  /** Only the beginning of a record stands there. */
  readonly isUnfinished: boolean;
  /** What stands there may still be judged. */
  readonly mayGoOn: boolean;
}

/** Where records may begin; each kind is looked for once, however often it is asked for. */
class Beginnings {
  readonly #bytes: Buffer;
  #object = -2;
  #event = -2;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The first beginning behind a place, or the end. */
  next(at: number): number {
    if (this.#object < at && this.#object !== -1) this.#object = this.#bytes.indexOf(NEXT_OBJECT_LINE, at);
    if (this.#event <= at && this.#event !== -1) this.#event = this.#bytes.indexOf(EVENT_XML_START, at + 1);
    const object = this.#object === -1 ? this.#bytes.length : this.#object + 1;
    return this.#event === -1 ? object : Math.min(object, this.#event);
  }
}

function isEventAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === LESS && bytes[at + 1] === EVENT_XML_START[1];
}

function beginsObject(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === OPEN_BRACE && bytes[at + 1] === QUOTE;
}
