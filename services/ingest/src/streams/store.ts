/**
 * Stores what came over a transport without answers. Trouble below is waited out, which holds the sender back; what cannot
 * be stored in the end is counted as dropped, with the reason.
 */
import { clip, type Failure } from "@culprit/model";
import { retry } from "@culprit/runtime";
import type { FramedRecord } from "../framed-records.ts";
import type { Input, Taken } from "../intake.ts";
import type { Sender } from "../quotas.ts";
import { isTooManyRecords } from "../record-limit.ts";
import type { ListenerContext } from "./context.ts";

/** Stored at a time: far below what one request may hold. */
const SLICE_RECORDS = 5_000;
const NOTHING: Taken = { events: 0, duplicates: 0, notSelected: 0, failures: [] };

type From = Pick<Input, "receiver" | "source">;

/** Waits while the sender has used up what it may send, and charges it for what it sends now. */
export async function withinQuota(
  records: readonly FramedRecord[],
  { source }: From,
  { quotas, clock, stopping }: ListenerContext,
): Promise<void> {
  const sender = senderIn(source);
  for (let waitMs = quotas.waitMs(sender); waitMs > 0; waitMs = quotas.waitMs(sender)) {
    if (!(await clock.sleep(waitMs, stopping))) break;
  }
  quotas.charge(sender, { bytes: records.reduce((sum, { bytes }) => sum + bytes.length, 0) });
}

/** Who a source says it is. */
export function senderIn({ remote = "", token }: From["source"]): Sender {
  return token === undefined ? { remote } : { remote, token };
}

/**
 * Stores records in their order; resolves once they are durable, or dropped and counted because the service stops or
 * cannot go on. The answer says whether all of them are stored.
 */
export async function storeRecords(
  records: readonly FramedRecord[],
  from: From,
  context: ListenerContext,
): Promise<boolean> {
  for (let at = 0; at < records.length; at += SLICE_RECORDS) {
    const slice = records.slice(at, at + SLICE_RECORDS);
    try {
      await storeSlice(slice, from, context);
    } catch (error) {
      const dropped = records.length - at;
      const reason = context.stopping.aborted ? "stopping" : "not-stored";
      context.counted.dropped(from.receiver, reason, dropped);
      context.sources.note({ ...from, ...NOTHING, deadLetters: 0, dropped, formats: new Map(), hosts: [] });
      context.logger.error({ error, ...from.source, dropped, reason }, "records were lost");
      return false;
    }
  }
  return true;
}

/**
 * Stores records that belong together, again and again while the log cannot.
 * Errors: as `Intake.take`, when the service stops meanwhile too; never that there are too many records in one.
 */
export async function storeSlice(
  records: readonly FramedRecord[],
  from: From,
  context: ListenerContext,
): Promise<void> {
  try {
    await patiently(context, () => context.intake.take({ ...from, records }));
  } catch (error) {
    const [only, ...more] = records;
    if (!isTooManyRecords(error) || only === undefined) throw error;
    if (more.length === 0) {
      return setAside(only.bytes, { from, failure: { reason: error.code, detail: clip(error.message) } }, context);
    }
    // One of them holds very many: the others are not refused for it.
    const half = Math.ceil(records.length / 2);
    await storeSlice(records.slice(0, half), from, context);
    await storeSlice(records.slice(half), from, context);
  }
}

/** Keeps what cannot be a record as a dead letter, again and again while the log cannot. Errors: as `storeSlice`. */
export function setAside(
  record: Uint8Array,
  { from, failure }: { readonly from: From; readonly failure: Failure },
  context: ListenerContext,
): Promise<void> {
  return patiently(context, () => context.intake.setAside(record, from, failure));
}

function patiently<T>({ clock, stopping, logger }: ListenerContext, work: () => Promise<T>): Promise<T> {
  return retry(work, {
    clock,
    random: Math.random,
    retryCountMax: Number.POSITIVE_INFINITY,
    signal: stopping,
    onRetry(fault, attempt) {
      if (attempt === 0) logger.warn({ error: fault }, "records cannot be stored; their senders are held back");
    },
  });
}
