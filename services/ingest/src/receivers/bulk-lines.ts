/** The lines of a `_bulk` request: an action, then its document. Out come the documents, one a line, and an item per action. */
import { clip, type Failure } from "@culprit/model";
import { RecordLimit } from "../record-limit.ts";
import { Turns } from "../turns.ts";
import { DEPTH_MAX } from "./json-sequence.ts";

export interface BulkItem {
  readonly action: string;
  readonly index: string;
  readonly id: string | undefined;
  /** Why it was not taken. */
  readonly error?: string;
}

export interface Bulk {
  readonly items: readonly BulkItem[];
  readonly documents: Uint8Array;
  /** Lines that are no action, for the dead letters. */
  readonly unreadable: readonly { readonly record: Uint8Array; readonly failure: Failure }[];
}

interface Line {
  readonly start: number;
  /** Without the line break, and the CR before it. */
  readonly end: number;
}

/** Actions that bring a document to store. */
const STORING = new Set(["index", "create"]);
const ACTIONS = new Set([...STORING, "update", "delete"]);
const ACTION_MAX_BYTES = 16 * 1024;
const NAME_MAX = 512;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const TURN_BYTES = 64 * 1024;

/**
 * Reads a request; `index` is that of actions that name none.
 * Shape: the body is used up: its documents are moved together in place, so that none is held twice.
 * Errors: as `RecordLimit`.
 */
export async function readBulk(
  body: Uint8Array,
  { index: defaultIndex, recordsMax }: { readonly index: string; readonly recordsMax: number },
): Promise<Bulk> {
  const turns = new Turns();
  const limit = new RecordLimit(recordsMax);
  const items: BulkItem[] = [];
  const unreadable: { record: Uint8Array; failure: Failure }[] = [];
  const lines = new Lines(body);
  let written = 0;
  let turnAt = TURN_BYTES;
  /** Most senders repeat one action for all documents. */
  let last: { readonly bytes: Uint8Array; readonly item: BulkItem } | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    limit.add();
    if (line.start >= turnAt) {
      await turns.worked(line.start + TURN_BYTES - turnAt);
      turnAt = line.start + TURN_BYTES;
    }
    if (last === undefined || !isSame(body, line, last.bytes)) {
      const bytes = body.slice(line.start, line.end);
      const action = readAction(bytes);
      if (action === undefined) {
        const detail = `line ${lines.number}, column 1: an action was expected`;
        unreadable.push({ record: bytes, failure: { reason: "bulk.no-action", detail, offset: line.start } });
        const error = `Malformed action/metadata line [${lines.number}]`;
        items.push({ action: "index", index: defaultIndex, id: undefined, error });
        continue;
      }
      const { name, index = defaultIndex, id } = action;
      last = { bytes, item: { action: name, index, id } };
    }
    const { item } = last;
    const { number } = lines;
    if (item.action === "delete") {
      items.push({ ...item, error: "delete is not supported: records are only added" });
      continue;
    }
    const document = lines.next();
    if (document === undefined) items.push({ ...item, error: `the action in line [${number}] has no document` });
    else if (!STORING.has(item.action))
      items.push({ ...item, error: `${clip(item.action, 40)} is not supported: records are only added` });
    else {
      items.push(item);
      body.copyWithin(written, document.start, document.end);
      written += document.end - document.start;
      // There was an action before it, so there is room.
      body[written] = LF;
      written += 1;
    }
  }
  return { items, documents: body.subarray(0, written), unreadable };
}

/** Lines that hold anything; a byte order mark before the first is not part of it. */
class Lines {
  readonly #body: Uint8Array;
  #at: number;
  /** The number of the line given last, from 1. */
  number = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.#at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  }

  next(): Line | undefined {
    const body = this.#body;
    while (this.#at < body.length) {
      const start = this.#at;
      const found = body.indexOf(LF, start);
      const stop = found === -1 ? body.length : found;
      const end = body[stop - 1] === CR && stop > start ? stop - 1 : stop;
      this.#at = stop + 1;
      this.number += 1;
      for (let at = start; at < end; at += 1) if ((body[at] as number) > BLANK) return { start, end };
    }
    return undefined;
  }
}

function isSame(body: Uint8Array, { start, end }: Line, bytes: Uint8Array): boolean {
  if (end - start !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at += 1) if (body[start + at] !== bytes[at]) return false;
  return true;
}

interface Action {
  readonly name: string;
  readonly index?: string;
  readonly id?: string;
}

/** `{"create":{"_index":"…","_id":"…"}}`; an unknown name is an action too, with an object under it. */
function readAction(line: Uint8Array): Action | undefined {
  if (line.length > ACTION_MAX_BYTES || isDeep(line)) return undefined;
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(line));
    if (typeof read !== "object" || read === null || Array.isArray(read)) return undefined;
    const [[name, of] = ["", undefined], ...more] = Object.entries(read);
    if (more.length > 0 || typeof of !== "object" || of === null || Array.isArray(of)) return undefined;
    if (!ACTIONS.has(name) && name.length > NAME_MAX) return undefined;
    const index = textOf(of, "_index");
    const id = textOf(of, "_id");
    return { name, ...(index === undefined ? {} : { index }), ...(id === undefined ? {} : { id }) };
  } catch {
    return undefined;
  }
}

function isDeep(line: Uint8Array): boolean {
  let opened = 0;
  for (const byte of line) if (byte === 0x7b || byte === 0x5b) opened += 1;
  return opened > DEPTH_MAX;
}

function textOf(of: object, key: string): string | undefined {
  const value: unknown = Object.hasOwn(of, key) ? Reflect.get(of, key) : undefined;
  return typeof value === "string" && value.length <= NAME_MAX ? value : undefined;
}
