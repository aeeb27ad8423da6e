/**
 * What a scanned line shows of a Winlogbeat document: the ids that it may have, whose log it is from, its number and time.
 * The same questions as in `json-select.ts`, asked of a line whose names have been found already; what that cannot judge is
 * not judged here either.
 */
import { isEmptyText, readDigits, skipBlanks } from "./json-select.ts";
import { createLineScanner, type LineScanner, type NameTable } from "./line-scanner.ts";
import type { Selection, Shown } from "./selection.ts";
import { InstantMemory, TextMemory } from "./value-memory.ts";

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
  { names: { code: { slot: SLOT.code } } },
];

/** Pairs of provider and channel whose verdicts are remembered; at the limit all are forgotten. */
const PAIRS_MAX = 1_000;

/** What is known of the records of one log and provider, by event id. */
interface Pair {
  readonly provider: string | undefined;
  readonly channel: string | undefined;
  readonly verdicts: Map<number, boolean>;
}

let scanner: LineScanner | undefined | "not opened" = "not opened";

/** The scanner for Winlogbeat's names, one for all inputs: a scan is read before the next begins. */
export function winlogbeatScanner(): LineScanner | undefined {
  if (scanner === "not opened") scanner = createLineScanner(NAMES);
  return scanner;
}

/** Judges the lines of one input. */
export class WinlogbeatLines {
  readonly #scanner: LineScanner;
  readonly #selection: Selection;
  readonly #provider = new TextMemory();
  readonly #channel = new TextMemory();
  readonly #computer = new TextMemory();
  readonly #instant = new InstantMemory();
  readonly #verdicts = new Map<string, Map<number, boolean>>();
  #pair: Pair | undefined;

  constructor(scanner: LineScanner, selection: Selection) {
    this.#scanner = scanner;
    this.#selection = selection;
  }

  /** Whether the line is certainly a document whose event cannot be wanted. */
  canPass(row: number): boolean {
    const { bytes } = this.#scanner;
    if (this.#scanner.isUnusual(row) || !this.#scanner.hasObject(row, WINLOG)) return false;
    if (this.#scanner.value(row, SLOT.source) !== 0) return false;
    const own = this.#idAt(row, SLOT.eventId);
    const code = this.#idAt(row, SLOT.code);
    if (own === "unreadable" || code === "unreadable" || (own === undefined && code === undefined)) return false;
    const channel = this.#channel.read(bytes, this.#scanner.value(row, SLOT.channel));
    const provider = this.#provider.read(bytes, this.#scanner.value(row, SLOT.provider));
    return !this.#isWanted(provider, channel, own) && !this.#isWanted(provider, channel, code);
  }

  /** What the line shows of itself. */
  shown(row: number): Shown {
    const { bytes } = this.#scanner;
    const computer = this.#computer.read(bytes, this.#scanner.value(row, SLOT.computer));
    const channel = this.#channel.read(bytes, this.#scanner.value(row, SLOT.channel));
    const created = this.#scanner.value(row, SLOT.timeCreated);
    const at = this.#instant.read(bytes, created === 0 ? this.#scanner.value(row, SLOT.timestamp) : created);
    const place = this.#scanner.value(row, SLOT.recordId);
    const recordId = place === 0 ? undefined : readDigits(bytes, skipBlanks(bytes, place));
    return {
      ...(computer === undefined ? {} : { computer }),
      ...(channel === undefined ? {} : { channel }),
      ...(at === undefined ? {} : { at }),
      ...(recordId === undefined ? {} : { recordId }),
    };
  }

  #idAt(row: number, slot: number): number | undefined | "unreadable" {
    const { bytes } = this.#scanner;
    const place = this.#scanner.value(row, slot);
    if (place === 0) return undefined;
    const at = skipBlanks(bytes, place);
    const id = readDigits(bytes, at);
    if (id !== undefined) return id % 0x10000;
    // An empty value is as good as none: the other key decides.
    return isEmptyText(bytes, at) ? undefined : "unreadable";
  }

  #isWanted(provider: string | undefined, channel: string | undefined, id: number | undefined): boolean {
    if (id === undefined) return false;
    const verdicts = this.#verdictsOf(provider, channel);
    const known = verdicts.get(id);
    if (known !== undefined) return known;
    const wanted = this.#selection.wants(provider?.toLowerCase(), channel?.toLowerCase(), id);
    verdicts.set(id, wanted);
    return wanted;
  }

  #verdictsOf(provider: string | undefined, channel: string | undefined): Map<number, boolean> {
    const last = this.#pair;
    if (last !== undefined && last.provider === provider && last.channel === channel) return last.verdicts;
    const key = JSON.stringify([provider, channel]);
    let verdicts = this.#verdicts.get(key);
    if (verdicts === undefined) {
      if (this.#verdicts.size >= PAIRS_MAX) this.#verdicts.clear();
      verdicts = new Map();
      this.#verdicts.set(key, verdicts);
    }
    this.#pair = { provider, channel, verdicts };
    return verdicts;
  }
}
