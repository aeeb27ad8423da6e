/**
 * The objects of a HEC request: checked as Splunk checks them, and each given the metadata it inherits from those before it.
 * Out come the good ones as lines for the decoder, the bad ones for the dead letters.
 */
import type { Failure } from "@culprit/model";
import { RecordLimit } from "../record-limit.ts";
import { Turns } from "../turns.ts";
import { HEC, type HecCode } from "./hec-code.ts";
import { type JsonPiece, jsonObjects } from "./json-sequence.ts";

export interface Envelopes {
  /** The good ones, one a line. */
  readonly envelopes: Uint8Array;
  readonly unreadable: readonly { readonly record: Uint8Array; readonly failure: Failure }[];
  /** How many there were, good or bad. */
  readonly count: number;
  /** The first bad one, counted from 0, and what is wrong with it. */
  readonly firstBad: { readonly number: number; readonly code: HecCode } | undefined;
  /** Whether one names an index that is not among `indexes`: then none is taken. */
  readonly forbidden: boolean;
}

/** What an object hands on to those that follow it in the request. */
const INHERITED = ["host", "source", "sourcetype", "index"] as const;
const LF = Uint8Array.of(0x0a);

export interface EnvelopeOptions {
  /** The only indexes a request may name; any when left out. */
  readonly indexes: readonly string[] | undefined;
  readonly recordsMax: number;
}

/** Reads a request's objects. Errors: as `RecordLimit`. */
export async function readEnvelopes(body: Uint8Array, { indexes, recordsMax }: EnvelopeOptions): Promise<Envelopes> {
  const turns = new Turns();
  const limit = new RecordLimit(recordsMax);
  const good: Uint8Array[] = [];
  const unreadable: { record: Uint8Array; failure: Failure }[] = [];
  const inherited = new Map<string, unknown>();
  let firstBad: Envelopes["firstBad"];
  let forbidden = false;
  let count = 0;
  for (const piece of jsonObjects(body)) {
    const record = body.subarray(piece.start, piece.end);
    limit.add();
    await turns.worked(record.length);
    const wrong = wrongWith(piece);
    if (wrong !== undefined) {
      unreadable.push({ record, failure: wrong.failure });
      firstBad ??= { number: count, code: wrong.code };
    } else if (piece.object.ok) {
      const index = piece.object.value["index"] ?? inherited.get("index");
      if (indexes !== undefined && index !== undefined && !indexes.includes(String(index))) forbidden = true;
      good.push(withInherited(piece.object.value, inherited, record), LF);
    }
    count += 1;
  }
  return { envelopes: Buffer.concat(good), unreadable, count, firstBad, forbidden };
}

function wrongWith({ start, object }: JsonPiece): { code: HecCode; failure: Failure } | undefined {
  if (!object.ok) return { code: HEC.invalidData, failure: object.failure };
  const event = object.value["event"];
  if (event === undefined || event === null) {
    return {
      code: HEC.eventRequired,
      failure: { reason: "hec.event-missing", detail: "no event field", offset: start },
    };
  }
  if (typeof event === "string" && event.trim() === "") {
    return {
      code: HEC.eventBlank,
      failure: { reason: "hec.event-blank", detail: "the event is blank", offset: start },
    };
  }
  if (!areFlat(object.value["fields"])) {
    const detail = "fields is not a flat object";
    return { code: HEC.indexedFields, failure: { reason: "hec.fields-nested", detail, offset: start } };
  }
  return undefined;
}

function areFlat(fields: unknown): boolean {
  if (fields === undefined || fields === null) return true;
  if (typeof fields !== "object" || Array.isArray(fields)) return false;
  return Object.values(fields).every(
    (value) => typeof value !== "object" || value === null || (Array.isArray(value) && value.every(isScalar)),
  );
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** The record as it came where it inherits nothing; else with the keys it lacks put in front, its own text kept. */
function withInherited(
  value: Readonly<Record<string, unknown>>,
  inherited: Map<string, unknown>,
  record: Uint8Array,
): Uint8Array {
  const lacking: string[] = [];
  for (const key of INHERITED) {
    if (Object.hasOwn(value, key)) inherited.set(key, value[key]);
    else if (inherited.has(key)) lacking.push(`${JSON.stringify(key)}:${JSON.stringify(inherited.get(key))}`);
  }
  if (lacking.length === 0) return record;
  return Buffer.concat([Buffer.from(`{${lacking.join(",")},`), record.subarray(1)]);
}
