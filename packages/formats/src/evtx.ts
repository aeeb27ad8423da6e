/**
 * Binary EVTX logs, read by `@culprit/evtx` a chunk of 64 KiB at a time: bytes in, events out.
 *
 * Source: FORMATS.md section 15.
 */
import {
  CHUNK_SIZE,
  type EventRecord,
  type EvtxItem,
  FILE_HEADER_SIZE,
  isChunk,
  type ReadOptions,
  readBlock,
  readEvtx,
  type SkippedRecords,
} from "@culprit/evtx";
import type { Decoded, WindowsEvent } from "@culprit/model";
import type { BinaryReader, DecodedItem } from "./decoding.ts";
import { finishEvent } from "./draft.ts";
import type { DecodeContext } from "./format.ts";
import type { PassedOver, Selection } from "./selection.ts";

const EVTX = "evtx";

/**
 * A log up to this size is read oldest chunk first, as it was written; a longer one in the order of the file, so that
 * memory stays bounded. The two differ where a full log wrote over its first chunks.
 */
const WHOLE_LOG_MAX_BYTES = 64 * 1024 * 1024;

export interface EvtxOptions {
  readonly selection?: Selection | undefined;
  readonly onPassedOver?: ((passed: PassedOver) => void) | undefined;
}

/** Reads a log that comes in chunks of any size. */
export function evtxReader(context: DecodeContext, options: EvtxOptions = {}): BinaryReader {
  const readOptions = readOptionsOf(options.selection);
  const told = options.onPassedOver;
  let pieces: Uint8Array[] = [];
  let size = 0;
  let offset = 0;
  let streaming = false;

  function* blocks(last: boolean): Iterable<DecodedItem> {
    const bytes = joined(pieces, size);
    let at = offset === 0 && !isChunk(bytes) ? Math.min(FILE_HEADER_SIZE, bytes.length) : 0;
    for (; at < bytes.length && (last || at + CHUNK_SIZE <= bytes.length); at += CHUNK_SIZE) {
      const content = readBlock(bytes.subarray(at, at + CHUNK_SIZE), offset + at, readOptions);
      if (content === undefined) continue;
      for (const item of content.items) yield itemOf(item, context);
      for (const skipped of content.skipped) told?.(passedOver(skipped, context));
    }
    const used = Math.min(at, bytes.length);
    offset += used;
    // Records keep their chunk in memory through their source; the rest is copied so that they alone do.
    pieces = used === bytes.length ? [] : [bytes.slice(used)];
    size = bytes.length - used;
  }

  return {
    *push(chunk) {
      pieces.push(streaming ? chunk : chunk.slice());
      size += chunk.length;
      if (!streaming && size <= WHOLE_LOG_MAX_BYTES) return;
      streaming = true;
      if (size >= CHUNK_SIZE + FILE_HEADER_SIZE) yield* blocks(false);
    },
    *end() {
      if (streaming) return yield* blocks(true);
      const onSkipped = (skipped: readonly SkippedRecords[]): void => {
        for (const kind of skipped) told?.(passedOver(kind, context));
      };
      for (const item of readEvtx(joined(pieces, size), { ...readOptions, onSkipped })) yield itemOf(item, context);
    },
  };
}

function readOptionsOf(selection: Selection | undefined): ReadOptions {
  if (selection === undefined) return {};
  const select = (provider: string, eventId: number, channel: string): boolean =>
    selection.wants(provider === "" ? undefined : provider.toLowerCase(), channel.toLowerCase(), eventId);
  return { select };
}

/** What `@culprit/evtx` gives, as the decoder gives it. */
export function itemOf(item: EvtxItem, context: DecodeContext, format: string = EVTX): DecodedItem {
  const path = context.path === undefined ? {} : { path: context.path };
  if (!item.ok) {
    const { reason, detail, offset } = item.failure;
    return { failure: { reason, detail, offset }, record: EMPTY, source: { format, offset, ...path } };
  }
  const source = { format, offset: item.record.offset, ...path };
  const event = evtxEvent(item.record, context);
  return event.ok ? { event: event.value, source } : { failure: event.failure, record: EMPTY, source };
}

const EMPTY = new Uint8Array(0);

/** One record of a log as an event. A damaged record that names no provider is kept, so that no record is lost. */
function evtxEvent(record: EventRecord, context: DecodeContext): Decoded<WindowsEvent> {
  return finishEvent(
    {
      provider: record.provider,
      providerAlias: record.eventSourceName,
      providerMayMiss: true,
      channel: record.channel,
      computer: record.computer,
      eventId: record.eventId,
      qualifiers: record.qualifiers,
      version: record.version,
      level: record.level,
      keywords: record.keywords,
      task: record.task,
      opcode: record.opcode,
      time: record.timeText,
      recordId: record.recordId,
      processId: record.processId,
      threadId: record.threadId,
      activityId: record.activityId,
      userId: record.userId,
      data: record.data,
      message: record.message,
    },
    context,
  );
}

function passedOver(skipped: SkippedRecords, context: DecodeContext): PassedOver {
  const { provider, channel, computer, count, firstAt, lastAt } = skipped;
  const path = context.path === undefined ? {} : { path: context.path };
  return { source: { format: EVTX, offset: 0, ...path }, count, provider, channel, computer, firstAt, lastAt };
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
