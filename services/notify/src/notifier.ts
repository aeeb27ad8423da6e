/**
 * A way to reach people. Each kind is one file of `notifiers/` that exports `{ kind, options, open }`: its name in the
 * config, the schema of its options and how to open it. The delivery engine decides what to send and when; a notifier
 * only turns a notification into the target's request and the answer into a result.
 */
import type { DeliveryAction, EpochMs, Incident } from "@culprit/model";
import type { z } from "zod";
import type { AddressGuard } from "./address-guard.ts";
import type { HttpPost } from "./http.ts";
import type { PageContent } from "./page-content.ts";

export interface Notification {
  /** 64 hex digits, the same for all messages about one outage: the de-duplication key. */
  readonly key: string;
  readonly action: DeliveryAction;
  /** A word of `SEND_REASONS`, or `test`. */
  readonly reason: string;
  readonly incident: Incident;
  /** The incident composed for people; escape it for the medium. */
  readonly page: PageContent;
  /** What earlier answers left for finding the page again. */
  readonly remote: Readonly<Record<string, string>>;
  readonly at: EpochMs;
  /** When this message was first to be sent: the same for all its attempts, another for each message. */
  readonly since: EpochMs;
  /** A drill: the message has to say so. */
  readonly test: boolean;
}

/** How a target knows a page. */
type RemotePage = Pick<Notification, "key" | "remote">;

export type SendResult =
  /** `accepted`: the target took it and delivers later; `delivered`: it is where people see it. */
  | {
      readonly result: "ok";
      readonly certainty: "accepted" | "delivered";
      readonly remote?: Readonly<Record<string, string>>;
    }
  /** Try again; `uncertain` when it may have arrived all the same. */
  | {
      readonly result: "later";
      readonly detail: string;
      readonly retryAfterMs?: number;
      readonly uncertain: boolean;
    }
  /** This message will not be taken, however often it is sent. */
  | { readonly result: "never"; readonly detail: string }
  /** No message will be taken until a person repairs the configuration. */
  | { readonly result: "auth"; readonly detail: string };

export interface Notifier {
  /** Sends once. Errors: none for what the target answers; a thrown fault counts as `later`. */
  send(notification: Notification, signal: AbortSignal): Promise<SendResult>;
  /**
   * Asks the target whether a page that was closed is still open there; `undefined` where it cannot tell.
   * Errors: a thrown fault means that it could not be asked.
   */
  isOpen?(page: RemotePage, signal: AbortSignal): Promise<boolean | undefined>;
  close?(): Promise<void>;
}

/** What a notifier gets instead of reaching for it. */
export interface NotifierContext {
  readonly post: HttpPost;
  /** Where the terminal's pages go. */
  readonly write: (text: string) => Promise<void>;
  readonly now: () => EpochMs;
  /** Chats whose buttons come back to us; elsewhere a button is a link at most. */
  readonly interactive: ReadonlySet<"slack" | "telegram">;
  /**
   * The address of a host that may be connected to, for what does not speak HTTP.
   * Errors: `notify.address-refused`, `notify.unreachable` (retriable).
   */
  readonly addressOf: (host: string) => Promise<string>;
  /** Certificates of authorities to trust; the system's unless given. */
  readonly trust?: readonly string[] | undefined;
  /** For connections that a library makes by itself. */
  readonly guard: AddressGuard;
}

export interface NotifierKind {
  /** The word under `kind` in a target's config. */
  readonly kind: string;
  /** What stands beside `kind` in the target's config; no key of `TARGET_RULES`. */
  readonly options: z.ZodObject;
  /** For targets that forget what they are not told again: how often to tell it, acknowledged or not. */
  readonly keepAliveMs?: number;
  /** Keeps records rather than waking people: gets no digest when many pages wait. */
  readonly isRecord?: boolean;
  /** Opens the notifier; the options are what the schema made of them. */
  open(options: unknown, context: NotifierContext): Notifier;
}

/** Ties the type of a kind's options to its schema, and forgets it outside. */
export function notifierKind<Options extends z.ZodObject>(kind: {
  readonly kind: string;
  readonly options: Options;
  readonly keepAliveMs?: number;
  readonly isRecord?: boolean;
  open(options: z.output<Options>, context: NotifierContext): Notifier;
}): NotifierKind {
  return { ...kind, open: (options, context) => kind.open(options as z.output<Options>, context) };
}
