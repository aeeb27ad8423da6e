/**
 * Records whose ends the transport told, made ready for decoding: JSON lines together, because a decoder costs more than
 * most of them, everything else one by one.
 */

/** A record whose end the transport told. */
export interface FramedRecord {
  readonly bytes: Uint8Array;
  /** The computer, where the record names none. */
  readonly host?: string;
  /** What happened to it on the way, for the event's marks: `cut`. */
  readonly marks?: readonly string[];
}

/** What one decoder reads. */
export interface Reading extends FramedRecord {
  /** One record, whatever it holds; else lines, each of which is a record. */
  readonly isFramed: boolean;
}

const TOGETHER_MAX_BYTES = 256 * 1024;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const QUOTE = 0x22;
const LF = 0x0a;
const LINE_BREAK = Uint8Array.of(LF);

/** The readings of records, in their order. */
export function* readingsOf(records: Iterable<FramedRecord>): Generator<Reading, void, void> {
  let lines: FramedRecord[] = [];
  let size = 0;
  for (const record of records) {
    const goesWith = isJsonLine(record) && (lines[0] === undefined || lines[0].host === record.host);
    if (!goesWith || size + record.bytes.length > TOGETHER_MAX_BYTES) {
      yield* together(lines);
      lines = [];
      size = 0;
    }
    if (isJsonLine(record)) {
      lines.push(record);
      size += record.bytes.length + 1;
    } else yield { ...record, isFramed: true };
  }
  yield* together(lines);
}

/**
 * A line that looks like an object from its first byte to its last. Where it is none in truth it still costs its neighbours
 * nothing: they begin with `{"`, which ends whatever an earlier line left open.
 */
function isJsonLine({ bytes, marks }: FramedRecord): boolean {
  return (
    marks === undefined &&
    bytes[0] === OPEN_BRACE &&
    bytes[1] === QUOTE &&
    bytes.at(-1) === CLOSE_BRACE &&
    !bytes.includes(LF)
  );
}

function* together(lines: readonly FramedRecord[]): Generator<Reading, void, void> {
  const [first] = lines;
  if (first === undefined) return;
  if (lines.length === 1) yield { ...first, isFramed: true };
  else yield { ...first, bytes: Buffer.concat(lines.flatMap(({ bytes }) => [bytes, LINE_BREAK])), isFramed: false };
}
