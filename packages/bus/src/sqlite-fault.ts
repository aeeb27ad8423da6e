/** SQLite's errors as faults of the bus: which may be retried, and which mean that the log can no longer be trusted. */
import { Fault } from "@culprit/model";
import type { FaultData } from "./embedded-protocol.ts";

const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** The primary result code of an error SQLite raised, or `undefined` for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

/** Whether SQLite found its own structures damaged. */
export function isCorrupt(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** The fault that an error of the store stands for. */
export function faultOf(error: unknown, fields: Readonly<Record<string, string | number>> = {}): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  switch (resultCode(error)) {
    case SQLITE_FULL:
      return new Fault("bus.full", "the embedded log is full", { retriable: true, cause: error, fields });
    case SQLITE_BUSY:
      return new Fault("bus.locked", "the embedded log is locked by another process", { cause: error, fields });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new Fault("bus.damaged", `the embedded log is damaged: ${text}`, { cause: error, fields });
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return new Fault("bus.disk", `the disk under the embedded log failed: ${text}`, { cause: error, fields });
    default:
      return new Fault("bus.failed", `the embedded log failed: ${text}`, { cause: error, fields });
  }
}

const BREAKING: ReadonlySet<string> = new Set(["bus.disk", "bus.damaged", "bus.failed", "bus.locked"]);

/**
 * Whether nothing may be written any more: after a failed write or sync nobody knows what is on the disk, and the same
 * handle must not be tried again (RELIABILITY, "Rules that keep them").
 */
export function breaksTheLog(fault: Fault): boolean {
  return BREAKING.has(fault.code);
}

/** A fault as it crosses the thread border. */
export function faultData(fault: Fault): FaultData {
  return { code: fault.code, message: fault.message, retriable: fault.retriable, fields: fault.fields };
}

/** The fault on the other side. */
export function faultFrom(data: FaultData): Fault {
  return new Fault(data.code, data.message, { retriable: data.retriable, fields: data.fields });
}
