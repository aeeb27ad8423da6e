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
import { FRAGMENT_HEADER, TEMPLATE_INSTANCE, templateOf } from "./parse.ts";
import { compileEvent, compileSection, type EventProgram, type SectionProgram } from "./program.ts";
import type { EventRecord, RecordData } from "./record.ts";
import { SLOTS } from "./system.ts";
import { fileTimeMs, fileTimeText, readStamp } from "./time.ts";
import { buildTree, CHARACTERS_MAX } from "./tree.ts";
import { ARRAY_FLAG, arrayTexts, BINXML_TYPE, FILETIME, NULL_TYPE, unsigned64, valueText } from "./value.ts";

const UINT8 = 0x04;
const UINT16 = 0x06;
const UINT32 = 0x08;
const UINT64 = 0x0a;

/** The record by the plain way. Errors: `Damage`. */
export function decodePlain(chunk: ChunkData, stored: Stored): EventRecord {
  return recordOfTree(buildTree(chunk, stored.source.at, stored.source.end), stored);
}

/** Decodes by programs; one for each chunk. */
export class Decoder {
  private readonly chunk: ChunkData;
  private readonly events = new Map<number, EventProgram | undefined>();
  private readonly sections = new Map<number, SectionProgram | undefined>();
  private readonly frame: Frame;
  private readonly inner: Frame;
  private program: EventProgram | undefined;
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
    let program = this.events.get(frame.definitionAt);
    if (program === undefined && !this.events.has(frame.definitionAt)) {
      program = compileEvent(templateOf(this.chunk, frame).nodes);
      this.events.set(frame.definitionAt, program);
    }
    this.program = program;
    this.refused = false;
    return program !== undefined;
  }

  provider(): string {
    return presentText(this.text(SLOTS.provider)) ?? this.text(SLOTS.eventSourceName) ?? "";
  }

  eventId(): number {
    return shortEventId(this.integer(SLOTS.eventId) ?? 0);
  }

  channel(): string {
    return this.text(SLOTS.channel) ?? "";
  }

  computer(): string {
    return this.text(SLOTS.computer) ?? "";
  }

  /** Whether what was asked so far is what the plain way would say. */
  isSound(): boolean {
    return !this.refused;
  }

  /** The whole record, or `undefined` when it has to go the plain way. Errors: `Damage`. */
  record(stored: Stored): EventRecord | undefined {
    const { program, frame } = this;
    if (program === undefined) return undefined;
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
        if (type === NULL_TYPE) continue;
        const nested = type === BINXML_TYPE ? this.nested(step.index) : undefined;
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
      provider: presentText(this.text(SLOTS.provider)) ?? source ?? "",
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
      channel: this.channel(),
      computer: this.computer(),
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
  private nested(index: number): SectionProgram | undefined {
    const { chunk, inner } = this;
    const end = this.frame.start(index + 1);
    const start = this.instanceAt(this.frame.start(index), end);
    if (start === -1) return undefined;
    inner.open(start, end);
    const last = inner.start(inner.count);
    if (last < end && chunk.bytes[last] !== 0) return undefined;
    let program = this.sections.get(inner.definitionAt);
    if (program === undefined && !this.sections.has(inner.definitionAt)) {
      program = compileSection(templateOf(chunk, inner).nodes);
      this.sections.set(inner.definitionAt, program);
    }
    return program;
  }

  private fields(program: SectionProgram, frame: Frame): RecordData {
    const { steps } = program;
    const values: string[] = [];
    // Names are the program's own unless a field is left out or repeated.
    let names: string[] | undefined;
    let characters = 0;
    for (let i = 0; i < steps.length; i += 1) {
      const step = steps[i] as (typeof steps)[number];
      const type = step.index === -1 ? NULL_TYPE : frame.type(step.index);
      if (type & ARRAY_FLAG || type === BINXML_TYPE) {
        if (!step.repeatable || type === BINXML_TYPE) {
          this.refused = true;
          return NO_DATA;
        }
        names ??= program.names.slice(0, i);
        for (const item of this.items(frame, step.index, type)) {
          if (item === "" && step.dropEmpty) continue;
          names.push(step.name);
          values.push(item);
          characters += item.length;
        }
        continue;
      }
      let text = step.text;
      if (type !== NULL_TYPE) {
        text = valueText(this.chunk, type, frame.start(step.index), frame.size(step.index));
        characters += text.length;
      }
      if ((step.optional && type === NULL_TYPE) || (step.dropEmpty && text === "")) {
        names ??= program.names.slice(0, i);
        continue;
      }
      names?.push(step.name);
      values.push(text);
      // The plain way says what is wrong with a template that asks for one value again and again.
      if (characters > CHARACTERS_MAX) this.refused = true;
      if (this.refused) break;
    }
    return { names: names ?? program.names, values };
  }

  private items(frame: Frame, index: number, type: number): readonly string[] {
    const items = arrayTexts(this.chunk, type & ~ARRAY_FLAG, frame.start(index), frame.size(index));
    return items.length === 0 ? [""] : items;
  }

  private text(slot: number): string | undefined {
    const { frame } = this;
    const program = this.program as EventProgram;
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
    return valueText(this.chunk, type, at, end - at);
  }

  private integer(slot: number): number | undefined {
    const { frame } = this;
    const index = (this.program as EventProgram).slots[slot] as number;
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
    const index = (this.program as EventProgram).slots[SLOTS.systemTime] as number;
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
    const index = (this.program as EventProgram).slots[SLOTS.recordId] as number;
    if (index !== -1 && frame.type(index) === UINT64 && frame.size(index) === 8) {
      return unsigned64(this.chunk.view, frame.start(index));
    }
    return recordIdOf(this.text(SLOTS.recordId));
  }
}
