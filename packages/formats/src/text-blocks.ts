/**
 * Puts lines of text together into records: lines in the order of the input in, blocks out, each with the format whose
 * beginning it has. Lines before any beginning come out as blocks of no format.
 *
 * States: no block, or one open block. A line that begins a record closes the open block and opens one; any other line
 * goes on with the open block. A table's heading stays; each of its rows, which end where their quotes are closed, comes
 * out with the heading before it.
 */
import type { Format, LineSituation, NamedFormat } from "./format.ts";

export interface TextBlock {
  readonly format: Format | undefined;
  readonly text: string;
  readonly offset: number;
  readonly marks: readonly string[];
}

export interface TextLine {
  readonly text: string;
  readonly offset: number;
  readonly emptyLines: number;
  readonly marks: readonly string[];
}

/** Longest block; a longer one is cut there and goes on as a block of no format. */
const BLOCK_MAX_CHARS = 256 * 1024;
/** Lines that no format knows come out in pieces of about this size. */
const UNKNOWN_MAX_CHARS = 16 * 1024;
const EMPTY_LINES_MAX = 8;
/** What text is pasted between on pages and in issue trackers; no record of any format has such a line. */
const FENCE = /^(?:```\w{0,12}|~~~|\{(?:code|noformat)[^}]{0,20}\})\s{0,4}$/;

interface OpenBlock {
  readonly format: Format | undefined;
  readonly lines: string[];
  readonly marks: Set<string>;
  readonly offset: number;
  /** The first line of a table; rows follow in `lines`. */
  readonly heading?: string;
  chars: number;
  /** Quotes in a table's row so far: an odd number means that a cell goes on. */
  quotes: number;
}

/** Groups lines into blocks. `named` is the format that the input's name tells. */
export class TextBlocks {
  readonly #formats: readonly Format[];
  readonly #named: NamedFormat | undefined;
  #open: OpenBlock | undefined;
  #heading: { readonly format: Format; readonly text: string } | undefined;

  constructor(formats: readonly Format[], named?: NamedFormat) {
    this.#formats = formats.filter((format) => format.text !== undefined);
    this.#named = named;
  }

  /** The next line; gives back the block that it closes, if any. */
  line(line: TextLine): TextBlock[] {
    if (FENCE.test(line.text)) return this.close();
    // A cell whose quotes are open goes on, whatever its lines look like.
    const isInCell = this.#heading !== undefined && (this.#open?.quotes ?? 0) % 2 === 1;
    const starting = isInCell ? undefined : this.#starting(line.text);
    if (starting !== undefined) {
      const pulled = this.#pull(starting);
      const closed = this.close();
      if (starting.text?.extent === "table") this.#heading = { format: starting, text: line.text };
      else {
        this.#heading = undefined;
        this.#open = openBlock(starting, line);
        if (pulled !== undefined) this.#open.lines.unshift(pulled);
      }
      return closed;
    }
    if (this.#heading !== undefined) return this.#row(line, this.#heading);
    const open = this.#open;
    const max = open?.format === undefined ? UNKNOWN_MAX_CHARS : BLOCK_MAX_CHARS;
    if (open === undefined || open.chars + line.text.length > max) {
      const closed = this.close();
      this.#open = openBlock(undefined, line);
      return closed;
    }
    append(open, line);
    return [];
  }

  /** An event element; true when the open block takes it as its own. */
  takeMarkup(line: TextLine): boolean {
    const open = this.#open;
    if (open?.format?.text?.takesMarkup !== true || open.chars + line.text.length > BLOCK_MAX_CHARS) return false;
    // A second element is a record of its own.
    if (open.lines.some((held) => held.startsWith("<Event"))) return false;
    append(open, line);
    return true;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Ends the open block: a record of another shape follows, or the input ends. */
  close(): TextBlock[] {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return [];
    const lines = open.heading === undefined ? open.lines : [open.heading, ...open.lines];
    return [{ format: open.format, text: lines.join("\n"), offset: open.offset, marks: [...open.marks] }];
  }

  #starting(text: string): Format | undefined {
    const named = this.#named;
    if (named?.reach === "only") return this.#starts(named.format, text, true) ? named.format : undefined;
    const found = this.#formats.find((format) => this.#starts(format, text, false));
    if (found !== undefined || named === undefined) return found;
    const open = this.#open?.format ?? this.#heading?.format;
    const free = open === undefined || open === named.format;
    return free && this.#starts(named.format, text, true) ? named.format : undefined;
  }

  #starts(format: Format, text: string, only: boolean): boolean {
    const open = this.#open?.format ?? this.#heading?.format;
    const situation: LineSituation = {
      own: open === format ? (this.#open?.lines ?? []) : undefined,
      other: open !== undefined && open !== format,
      only,
    };
    return format.text?.starts(text, situation) === true;
  }

  #pull(format: Format): string | undefined {
    const lines = this.#open?.lines;
    const before = lines?.[lines.length - 1];
    if (lines === undefined || before === undefined || format.text?.pulls?.(before) !== true) return undefined;
    lines.pop();
    if (lines.length === 0) this.#open = undefined;
    return before;
  }

  #row(line: TextLine, heading: { format: Format; text: string }): TextBlock[] {
    if (this.#open === undefined) this.#open = { ...openBlock(heading.format, line), heading: heading.text };
    else append(this.#open, line);
    const open = this.#open;
    open.quotes += quotesIn(line.text);
    return open.quotes % 2 === 0 || open.chars > BLOCK_MAX_CHARS ? this.close() : [];
  }
}

function openBlock(format: Format | undefined, line: TextLine): OpenBlock {
  return {
    format,
    lines: [line.text],
    marks: new Set(line.marks),
    offset: line.offset,
    chars: line.text.length,
    quotes: 0,
  };
}

function append(open: OpenBlock, line: TextLine): void {
  for (let i = 0; i < Math.min(line.emptyLines, EMPTY_LINES_MAX); i += 1) open.lines.push("");
  open.lines.push(line.text);
  open.chars += line.text.length + 1;
  for (const mark of line.marks) open.marks.add(mark);
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}
