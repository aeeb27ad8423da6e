/**
 * What a scanned line shows of a Winlogbeat document: the ids that it may have, whose log it is from, its number and time.
 * The same questions as in `json-select.ts`, asked of a line whose names have been found already; what that cannot judge is
 * not judged here either.
 */
import { isEmptyText, readDigits, skipBlanks } from "./json-select.ts";
import { createLineScanner, type LineScanner, type NameTable } from "./line-scanner.ts";
import type { Selection, Shown } from "./selection.ts";
import { InstantMemory, TextMemory } from "./value-memory.ts";
import { type Verdicts, verdictsOf } from "./verdicts.ts";

const SLOT = {
  timestamp: 1,
  winlog: 2,
  event: 3,
  source: 4,
  eventId: 5,
  channel: 6,
  provider: 7,
  computer: 8,
  recordId: 9,
  timeCreated: 10,
  code: 11,
  created: 12,
} as const;

/** The name of the format whose lines these are. */
export const WINLOGBEAT = "winlogbeat";

const WINLOG = 1;
const EVENT = 2;

/** The names that tell, level by level. A dotted name at the top level (`winlog.event_id`) would count before them. */
const NAMES: readonly NameTable[] = [
  {
    names: {
      "@timestamp": { slot: SLOT.timestamp },
      winlog: { slot: SLOT.winlog, inner: WINLOG },
      event: { slot: SLOT.event, inner: EVENT },
      _source: { slot: SLOT.source },
    },
    refused: ".",
  },
  {
    names: {
      event_id: { slot: SLOT.eventId },
      channel: { slot: SLOT.channel },
      provider_name: { slot: SLOT.provider },
      computer_name: { slot: SLOT.computer },
      record_id: { slot: SLOT.recordId },
      time_created: { slot: SLOT.timeCreated },
    },
  },
  { names: { code: { slot: SLOT.code }, created: { slot: SLOT.created } } },
];

/** In place of an event id. */
const NO_ID = -1;
const UNREADABLE = -2;

let scanner: LineScanner | undefined | "not opened" = "not opened";

/** The scanner for Winlogbeat's names, one for all inputs: a scan is read before the next begins. */
export function winlogbeatScanner(): LineScanner | undefined {
  if (scanner === "not opened") scanner = createLineScanner(NAMES);
  return scanner;
}

/** Judges the lines of one input. */
export class WinlogbeatLines {
  readonly #scanner: LineScanner;
  readonly #verdicts: Verdicts;
  readonly #provider = new TextMemory();
  readonly #channel = new TextMemory();
  readonly #computer = new TextMemory();
  readonly #instant = new InstantMemory();
  readonly #received = new InstantMemory();

  constructor(scanner: LineScanner, selection: Selection) {
    this.#scanner = scanner;
    this.#verdicts = verdictsOf(selection);
  }

  /** Whether the line is certainly a document whose event cannot be wanted. */
  canPass(row: number): boolean {
    if (this.#scanner.isUnusual(row) || !this.#scanner.hasObject(row, WINLOG)) return false;
    if (this.#scanner.value(row, SLOT.source) !== 0) return false;
    const own = this.#idAt(row, SLOT.eventId);
    const code = this.#idAt(row, SLOT.code);
    if (own === UNREADABLE || code === UNREADABLE || (own === NO_ID && code === NO_ID)) return false;
    return !this.#isWanted(row, own) && (code === own || !this.#isWanted(row, code));
  }

  /** Whether the forwarder's stamp is missing, or was read. */
  isReceiptKnown(row: number): boolean {
    const place = this.#scanner.value(row, SLOT.created);
    return place === 0 || this.#received.read(this.#scanner.bytes, place) !== undefined;
  }

  /** What the line shows of itself. */
  shown(row: number): Shown {
    const { bytes } = this.#scanner;
    const created = this.#scanner.value(row, SLOT.timeCreated);
    const number = this.#scanner.value(row, SLOT.recordId);
    return {
      computer: this.#computer.read(bytes, this.#scanner.value(row, SLOT.computer)),
      channel: this.#channel.read(bytes, this.#scanner.value(row, SLOT.channel)),
      at: this.#instant.read(bytes, created === 0 ? this.#scanner.value(row, SLOT.timestamp) : created),
      receivedAt: this.#received.read(bytes, this.#scanner.value(row, SLOT.created)),
      recordId: number === 0 ? undefined : readDigits(bytes, skipBlanks(bytes, number)),
    };
  }

  #idAt(row: number, slot: number): number {
    const { bytes } = this.#scanner;
    const place = this.#scanner.value(row, slot);
    if (place === 0) return NO_ID;
    const at = skipBlanks(bytes, place);
    const id = readDigits(bytes, at);
    if (id !== undefined) return id % 0x10000;
    // An empty value is as good as none: the other key decides.
    return isEmptyText(bytes, at) ? NO_ID : UNREADABLE;
  }

  /** By its id alone, whatever it is of, most are not; only then its names are read. */
  #isWanted(row: number, id: number): boolean {
    if (id === NO_ID || !this.#verdicts.wants(undefined, undefined, id)) return false;
    const { bytes } = this.#scanner;
    const provider = this.#provider.read(bytes, this.#scanner.value(row, SLOT.provider));
    const channel = this.#channel.read(bytes, this.#scanner.value(row, SLOT.channel));
    return this.#verdicts.wants(provider, channel, id);
  }
}
