/**
 * Runs programs over the records of one chunk. Each record goes three steps: its template's program is found, the selection
 * is asked with provider, id and channel, and only then are the other values decoded. What a program does not cover goes
 * through the tree.
 */
import {
  integerOf,
  NO_DATA,
  presentText,
  qualifiersOf,
  recordIdOf,
  recordOfTree,
  type Stored,
  shortEventId,
} from "./assemble.ts";
import type { ChunkData } from "./chunk-data.ts";
import { Frame } from "./frame.ts";
import {
  type EventProgram,
  emptySection,
  eventProgram,
  type FieldStep,
  type NestedStep,
  type SectionProgram,
  sectionProgram,
} from "./program.ts";
import type { EventRecord, RecordData } from "./record.ts";
import { FRAGMENT_HEADER, TEMPLATE_INSTANCE } from "./scan.ts";
import type { SkipCount } from "./skips.ts";
import { SLOT_COUNT, SLOTS } from "./system.ts";
import { templateOf } from "./templates.ts";
import { fileTimeMs, fileTimeText, readStamp } from "./time.ts";
import { buildTree, CHARACTERS_MAX, NODES_MAX } from "./tree.ts";
import {
  ARRAY_FLAG,
  arrayTexts,
  BINXML_TYPE,
  FILETIME,
  NULL_TYPE,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
  unsigned64,
  valueText,
} from "./value.ts";

/** The record by the plain way. Errors: `Damage`. */
export function decodePlain(chunk: ChunkData, stored: Stored): EventRecord {
  return recordOfTree(buildTree(chunk, stored.source.at, stored.source.end), stored);
}

/** What a selection is asked about, and what came of it. */
export interface Kind {
  readonly provider: string;
  readonly eventId: number;
  readonly channel: string;
  readonly computer: string;
  /** The selection's answer, once it was asked. */
  isSelected: boolean | undefined;
  /** Where such records are counted, once one was left out. */
  skipped: SkipCount | undefined;
}

/** The text of a slot in the last record that had one, and where its bytes stand. */
interface HeldText {
  type: number;
  at: number;
  size: number;
  text: string;
}

function noText(): HeldText {
  return { type: -1, at: 0, size: 0, text: "" };
}

/** A program and the kinds of record that it met in the chunk, by event id. */
interface LoadedProgram {
  readonly program: EventProgram;
  readonly kinds: Map<number, Kind>;
}

/** Decodes by programs; one for each chunk. */
export class Decoder {
  private readonly chunk: ChunkData;
  private readonly events = new Map<number, LoadedProgram | undefined>();
  private readonly frame: Frame;
  private readonly inner: Frame;
  private readonly held: readonly HeldText[] = Array.from({ length: SLOT_COUNT }, noText);
  private loaded: LoadedProgram | undefined;
  /** Set when a value shows that the program does not cover the record. */
  private refused = false;

  constructor(chunk: ChunkData) {
    this.chunk = chunk;
    this.frame = new Frame(chunk);
    this.inner = new Frame(chunk);
  }

  /**
   * Finds the program of the record whose binary XML is at `at`; the methods below are about that record.
   * Shape: false when there is none, and the record has to go the plain way. Errors: `Damage`.
   */
  open(at: number, end: number): boolean {
    const start = this.instanceAt(at, end);
    if (start === -1) return false;
    const { frame } = this;
    frame.open(start, end);
    let loaded = this.events.get(frame.definitionAt);
    if (loaded === undefined && !this.events.has(frame.definitionAt)) {
      const program = eventProgram(templateOf(this.chunk, frame));
      loaded = program === null ? undefined : { program, kinds: new Map() };
      this.events.set(frame.definitionAt, loaded);
    }
    this.loaded = loaded;
    this.refused = false;
    return loaded !== undefined;
  }

  /**
   * What the selection is asked about; the same object for records that are alike. `undefined` when only the plain way
   * can tell. Errors: `Damage`.
   */
  kind(): Kind | undefined {
    const { kinds } = this.loaded as LoadedProgram;
    const eventId = shortEventId(this.integer(SLOTS.eventId) ?? 0);
    const provider = this.provider();
    const channel = this.text(SLOTS.channel) ?? "";
    const computer = this.text(SLOTS.computer) ?? "";
    if (this.refused) return undefined;
    const held = kinds.get(eventId);
    if (held?.provider === provider && held.channel === channel && held.computer === computer) return held;
    const kind = { provider, eventId, channel, computer, isSelected: undefined, skipped: undefined };
    kinds.set(eventId, kind);
    return kind;
  }

  /** The whole record, or `undefined` when it has to go the plain way. Errors: `Damage`. */
  record(stored: Stored): EventRecord | undefined {
    const { frame } = this;
    const { program } = this.loaded as LoadedProgram;
    const end = frame.start(frame.count);
    if (end < stored.source.end && this.chunk.bytes[end] !== 0) return undefined;
    for (const guard of program.guards) if (frame.type(guard) === NULL_TYPE) return undefined;
    const id = this.integer(SLOTS.eventId) ?? 0;
    const source = presentText(this.text(SLOTS.eventSourceName));
    let section: SectionProgram | undefined;
    let data: RecordData = NO_DATA;
    for (const step of program.body) {
      if (step.kind === "section") {
        if (section !== undefined) continue;
        section = step;
        data = this.fields(step, frame);
      } else {
        const type = frame.type(step.index);
        if (type === NULL_TYPE && step.optional) continue;
        const nested = this.nested(step, type);
        if (nested === undefined) return undefined;
        if (section !== undefined) continue;
        section = nested;
        data = this.fields(nested, this.inner);
      }
    }
    const time = this.time(stored);
    const record: EventRecord = {
      offset: stored.offset,
      storedId: stored.storedId,
      storedAt: fileTimeMs(stored.low, stored.high),
      provider: this.provider(),
      eventSourceName: source,
      guid: presentText(this.text(SLOTS.guid)),
      eventId: shortEventId(id),
      qualifiers: qualifiersOf(id, this.integer(SLOTS.qualifiers)),
      version: this.integer(SLOTS.version),
      level: this.integer(SLOTS.level),
      task: this.integer(SLOTS.task),
      opcode: this.integer(SLOTS.opcode),
      keywords: presentText(this.text(SLOTS.keywords)),
      timeCreated: time.ms,
      timeText: time.text,
      recordId: this.recordId() ?? stored.storedId,
      activityId: presentText(this.text(SLOTS.activityId)),
      relatedActivityId: presentText(this.text(SLOTS.relatedActivityId)),
      processId: this.integer(SLOTS.processId),
      threadId: this.integer(SLOTS.threadId),
      channel: this.text(SLOTS.channel) ?? "",
      computer: this.text(SLOTS.computer) ?? "",
      userId: presentText(this.text(SLOTS.userId)),
      section: section === undefined ? "none" : section.section,
      dataElement: section?.dataElement,
      data,
      message: undefined,
      isRecovered: stored.isRecovered,
      source: stored.source,
    };
    return this.refused ? undefined : record;
  }

  /** Where the instance starts that a fragment consists of, behind an optional fragment header; -1 for other content. */
  private instanceAt(at: number, end: number): number {
    const { bytes } = this.chunk;
    const start = at < end && bytes[at] === FRAGMENT_HEADER ? at + 4 : at;
    return start < end && bytes[start] === TEMPLATE_INSTANCE ? start : -1;
  }

  /** Opens the inner frame on a value of type 0x21 that holds one template instance. */
  private nested(step: NestedStep, type: number): SectionProgram | undefined {
    const { chunk, inner } = this;
    if (type === NULL_TYPE && step.inside !== undefined) return emptySection(step.inside);
    if (type !== BINXML_TYPE) return undefined;
    const end = this.frame.start(step.index + 1);
    const start = this.instanceAt(this.frame.start(step.index), end);
    if (start === -1) return undefined;
    inner.open(start, end);
    const last = inner.start(inner.count);
    if (last < end && chunk.bytes[last] !== 0) return undefined;
    return sectionProgram(templateOf(chunk, inner), step.inside) ?? undefined;
  }

  private fields(program: SectionProgram, frame: Frame): RecordData {
    const { steps } = program;
    const values: string[] = [];
    // Names are the program's own unless a field is left out or repeated.
    let names: string[] | undefined;
    let characters = 0;
    for (let i = 0; i < steps.length; i += 1) {
      const step = steps[i] as FieldStep;
      const type = step.index === -1 ? NULL_TYPE : frame.type(step.index);
      if (type === BINXML_TYPE || (type & ARRAY_FLAG && !step.repeatable)) {
        this.refused = true;
        return NO_DATA;
      }
      if (type & ARRAY_FLAG) {
        names ??= program.names.slice(0, i);
        for (const item of this.items(frame, step.index, type)) {
          if (item === "" && step.dropEmpty) continue;
          names.push(step.name);
          values.push(item);
          characters += item.length;
        }
      } else {
        const text =
          type === NULL_TYPE ? step.text : valueText(this.chunk, type, frame.start(step.index), frame.size(step.index));
        if ((step.optional && type === NULL_TYPE) || (step.dropEmpty && text === "")) {
          names ??= program.names.slice(0, i);
          continue;
        }
        names?.push(step.name);
        values.push(text);
        characters += text.length;
      }
      if (characters > CHARACTERS_MAX || values.length > NODES_MAX) {
        // The plain way says what is wrong with a template that asks for one value again and again.
        this.refused = true;
        break;
      }
    }
    this.chunk.spend(characters, values.length);
    return { names: names ?? program.names, values };
  }

  private items(frame: Frame, index: number, type: number): readonly string[] {
    const items = arrayTexts(this.chunk, type & ~ARRAY_FLAG, frame.start(index), frame.size(index));
    return items.length === 0 ? [""] : items;
  }

  private provider(): string {
    return presentText(this.text(SLOTS.provider)) ?? this.text(SLOTS.eventSourceName) ?? "";
  }

  /** The text of a slot; the one before is given again when its bytes are the same. */
  private text(slot: number): string | undefined {
    const { frame, chunk } = this;
    const { program } = this.loaded as LoadedProgram;
    const index = program.slots[slot] as number;
    if (index === -1) return program.constants[slot];
    const type = frame.type(index);
    if (type === NULL_TYPE) return undefined;
    if (type & ARRAY_FLAG || type === BINXML_TYPE) {
      this.refused = true;
      return undefined;
    }
    const end = frame.start(index + 1);
    const at = frame.start(index);
    const size = end - at;
    const last = this.held[slot] as HeldText;
    if (last.type === type && last.size === size && chunk.hasSame(last.at, at, size)) return last.text;
    const text = valueText(chunk, type, at, size);
    last.type = type;
    last.at = at;
    last.size = size;
    last.text = text;
    return text;
  }

  private integer(slot: number): number | undefined {
    const { frame } = this;
    const index = (this.loaded as LoadedProgram).program.slots[slot] as number;
    const type = index === -1 ? NULL_TYPE : frame.type(index);
    if (type === UINT16 || type === UINT8 || type === UINT32) {
      const { view } = this.chunk;
      const end = frame.start(index + 1);
      const at = frame.start(index);
      if (type === UINT16 && end - at === 2) return view.getUint16(at, true);
      if (type === UINT8 && end - at === 1) return view.getUint8(at);
      if (type === UINT32 && end - at === 4) return view.getUint32(at, true);
    }
    return integerOf(this.text(slot));
  }

  private time(stored: Stored): { readonly ms: number; readonly text: string } {
    const { frame } = this;
    const { view } = this.chunk;
    const index = (this.loaded as LoadedProgram).program.slots[SLOTS.systemTime] as number;
    if (index !== -1 && frame.type(index) === FILETIME && frame.size(index) === 8) {
      const at = frame.start(index);
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      return { ms: fileTimeMs(low, high), text: fileTimeText(low, high) };
    }
    const { low, high } = stored;
    return readStamp(this.text(SLOTS.systemTime) ?? "") ?? { ms: fileTimeMs(low, high), text: fileTimeText(low, high) };
  }

  private recordId(): string | undefined {
    const { frame } = this;
    const index = (this.loaded as LoadedProgram).program.slots[SLOTS.recordId] as number;
    if (index !== -1 && frame.type(index) === UINT64 && frame.size(index) === 8) {
      return unsigned64(this.chunk.view, frame.start(index));
    }
    return recordIdOf(this.text(SLOTS.recordId));
  }
}
