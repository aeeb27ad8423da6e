/** What a person asked for somewhere else, read from a callback whose sender is known for certain. */
import type { ActionOrigin, EpochMs, IncidentId } from "@culprit/model";

export interface Asked {
  readonly kind: "acknowledge" | "resolve" | "reopen" | "note" | "silence";
  /** By our id, or by the key under which a target holds the page. */
  readonly incident: IncidentId | { readonly key: string };
  /** What makes it this one and no other: a repeat has the same, and changes nothing. */
  readonly seed: readonly string[];
  /** When it was asked, by the sender's clock; now unless given. */
  readonly at?: EpochMs;
  /** Hostile text. */
  readonly who: string;
  /** Hostile text. */
  readonly note?: string;
  readonly from: ActionOrigin;
}

/** What became of it. */
export type Outcome = "done" | "repeated" | "over" | "unknown-incident" | "unfit";

/** A callback as it came, its body as the bytes that were signed. */
interface CallbackRequest {
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  readonly address: string;
  readonly now: EpochMs;
}

export type Received =
  /** It is not from whom it says, or cannot be read. */
  | { readonly refused: "signature" | "too-old" | "unreadable" }
  /** What is answered may depend on what became of it; nothing is answered unless told. */
  | { readonly asked: readonly Asked[]; readonly answer?: (outcomes: readonly Outcome[]) => unknown };

/** One service that calls back: where, and how its calls are believed and read. */
export interface Callback {
  /** The last part of its path: `/callbacks/<name>`. */
  readonly name: "pagerduty" | "slack" | "telegram";
  receive(request: CallbackRequest): Received;
}

export const NOTHING_ASKED: Received = { asked: [] };

/** A text of the sender's as a name we can keep. */
export function nameOf(texts: readonly (string | undefined)[], lengthMax = 200): string {
  const text = texts.find((one) => one !== undefined && one.trim() !== "") ?? "unknown";
  return text.trim().toWellFormed().slice(0, lengthMax).toWellFormed();
}

/** JSON, or `undefined`. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
