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
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly offset: number;
}

/** Actions that bring a document to store. */
const STORING = new Set(["index", "create"]);
const ACTIONS = new Set([...STORING, "update", "delete"]);
const ACTION_MAX_BYTES = 16 * 1024;
const NAME_MAX = 512;
const LF = 0x0a;
const BREAK = Uint8Array.of(LF);

/** Reads a request; `index` is that of actions that name none. Errors: as `RecordLimit`. */
export async function readBulk(
  body: Uint8Array,
  { index: defaultIndex, recordsMax }: { readonly index: string; readonly recordsMax: number },
): Promise<Bulk> {
  const turns = new Turns();
  const limit = new RecordLimit(recordsMax);
  const items: BulkItem[] = [];
  const documents: Uint8Array[] = [];
  const unreadable: { record: Uint8Array; failure: Failure }[] = [];
  const lines = linesOf(body);
  for (let line = lines.next().value; line !== undefined; line = lines.next().value) {
    limit.add();
    const action = readAction(line.bytes);
    if (action === undefined) {
      const detail = `line ${line.number}, column 1: an action was expected`;
      unreadable.push({ record: line.bytes, failure: { reason: "bulk.no-action", detail, offset: line.offset } });
      items.push({
        action: "index",
        index: defaultIndex,
        id: undefined,
        error: `Malformed action/metadata line [${line.number}]`,
      });
      continue;
    }
    const { name, index = defaultIndex, id } = action;
    const item = { action: name, index, id };
    if (name === "delete") {
      items.push({ ...item, error: "delete is not supported: records are only added" });
      continue;
    }
    const document = lines.next().value;
    await turns.worked(line.bytes.length + (document?.bytes.length ?? 0));
    if (document === undefined) items.push({ ...item, error: `the action in line [${line.number}] has no document` });
    else if (!STORING.has(name))
      items.push({ ...item, error: `${clip(name, 40)} is not supported: records are only added` });
    else {
      items.push(item);
      documents.push(document.bytes, BREAK);
    }
  }
  return { items, documents: Buffer.concat(documents), unreadable };
}

/** Lines that hold anything; CR before the line break is not part of one, nor is a byte order mark before the first. */
function* linesOf(body: Uint8Array): Generator<Line, undefined, void> {
  let start = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  for (let number = 1; start < body.length; number += 1) {
    const found = body.indexOf(LF, start);
    const end = found === -1 ? body.length : found;
    const bytes = body.subarray(start, body[end - 1] === 0x0d ? end - 1 : end);
    if (bytes.some((byte) => byte > 0x20)) yield { bytes, number, offset: start };
    start = end + 1;
  }
  return undefined;
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
