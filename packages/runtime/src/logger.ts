/** Logs: one JSON line an entry, a constant message, data in fields. `warn` is odd but nothing lost; `error` is something lost or a person needed. */
import { Fault } from "@culprit/model";
import { type Logger as PinoLogger, pino } from "pino";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** What services get; pino behind it. */
export interface Logger {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  /** The same logger with fields on every line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  /** The service, on every line. */
  readonly service: string;
  /** Where lines go; standard error unless told, because standard output is for data. */
  readonly write?: (line: string) => void;
}

/** Makes a logger. A `Fault` under `error` shows its code, fields and cause. */
export function createLogger({ level = "info", service, write }: LoggerOptions): Logger {
  const destination = write === undefined ? pino.destination({ fd: 2, sync: true }) : { write };
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: errorFields },
  };
  return wrap(pino(options, destination));
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    child: (fields) => wrap(inner.child({ ...fields })),
  };
}

const CAUSES_MAX = 5;

/** An error as fields: what a person needs to see which thing failed, causes included. */
export function errorFields(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const fields: Record<string, unknown> = { type: error.name, message: error.message };
  if (error instanceof Fault) {
    fields["code"] = error.code;
    if (Object.keys(error.fields).length > 0) fields["fields"] = error.fields;
  } else if (error.stack !== undefined) fields["stack"] = error.stack;
  if (error.cause !== undefined && depth < CAUSES_MAX) fields["cause"] = errorFields(error.cause, depth + 1);
  return fields;
}
