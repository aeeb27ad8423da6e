/** Bad data is a value, a fault is thrown: the two ways anything in Culprit can go wrong. */

/** Why a record, line or chunk could not be understood. `reason` is a code from REFERENCE.md, `detail` is for a person. */
export interface Failure {
  readonly reason: string;
  readonly detail: string;
  /** Byte offset in the input where it was noticed, where there is one. */
  readonly offset?: number;
}

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export function success<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

export function failure(reason: string, detail: string, offset?: number): { ok: false; failure: Failure } {
  return { ok: false, failure: offset === undefined ? { reason, detail } : { reason, detail, offset } };
}

/** A fault of ours or of a peer: thrown, with a code of the catalogue, and retried only where `retriable`. */
export class Fault extends Error {
  readonly code: string;
  readonly retriable: boolean;
  readonly fields: Readonly<Record<string, string | number>>;

  constructor(
    code: string,
    message: string,
    options: { retriable?: boolean; cause?: unknown; fields?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.fields = options.fields ?? {};
  }
}

/** The end of every switch over a closed list of choices. */
export function assertNever(value: never): never {
  throw new Fault("model.impossible", `unexpected ${JSON.stringify(value)}`);
}

const CLIP_LENGTH = 200;

/** Shortens text for an error or a log line; says how much was left out. */
export function clip(text: string, length = CLIP_LENGTH): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more)`;
}
