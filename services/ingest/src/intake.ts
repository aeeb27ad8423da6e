/**
 * From the bytes of one request, or the records of a stream, to durable messages: decode what a rule may want, leave out what was stored before, publish
 * the rest as events and dead letters in one go. Nothing is counted as taken before the bus says that it is stored.
 */
import type { Bus, Outgoing } from "@culprit/bus";
import {
  createDecoder,
  type DecodedItem,
  type Decoder,
  type DecoderOptions,
  type PassedOver,
  type Selection,
} from "@culprit/formats";
import {
  type Coverage,
  type DeadLetter,
  deadLetter,
  type EventArrival,
  eventIdentity,
  type Failure,
  Fault,
  TOPICS,
  type WindowsEvent,
} from "@culprit/model";
import type { Clock, Logger } from "@culprit/runtime";
import { coverageOf } from "./coverage-of.ts";
import { CoverageWindow } from "./coverage-window.ts";
import { type FramedRecord, readingsOf } from "./framed-records.ts";
import type { IntakeMetrics } from "./intake-metrics.ts";
import { RecentIds } from "./recent-ids.ts";
import { isTooManyRecords, RecordLimit } from "./record-limit.ts";
import type { Sources } from "./sources.ts";
import { Turns } from "./turns.ts";

/** Given to the decoder at a time, and published at a time, before other requests get their turn. */
const SLICE_BYTES = 256 * 1024;
const SLICE_MESSAGES = 1_000;
/** Formats whose input is one record of its sender, however many events it holds. */
const BINARY_LOGS: ReadonlySet<string> = new Set(["evtx", "evt"]);
/** What working out an event's identity is worth, in bytes decoded. */
const IDENTITY_BYTES = 500;

export interface Input {
  /** Name of the receiver, for counters. */
  readonly receiver: string;
  /** Records one after the other, told apart by their content. */
  readonly body?: Uint8Array;
  /** Records that the transport told apart; after those of the body. */
  readonly records?: readonly FramedRecord[];
  /** The computer, for records that name none. */
  readonly host?: string;
  /** The name of the file it comes from, for formats told by their name; it never touches our file system. */
  readonly path?: string;
  /** What else could not be read before decoding; goes to the dead letters with the rest. */
  readonly unreadable?: readonly { readonly record: Uint8Array; readonly failure: Failure }[];
  /** Who sent it, for dead letters: never a credential. */
  readonly source: NonNullable<DeadLetter["source"]>;
}

export interface Taken {
  readonly events: number;
  readonly duplicates: number;
  readonly notSelected: number;
  /** Why records went to the dead letters, in their order. */
  readonly failures: readonly Failure[];
}

export interface IntakeOptions {
  readonly bus: Pick<Bus, "publish">;
  /** What is wanted of the input that comes next. */
  selection(): Selection;
  /** IANA zone for stamps that have none. */
  readonly zone: string;
  readonly recordMaxBytes: number;
  readonly recordsMax: number;
  readonly recentIdsMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IntakeMetrics;
  readonly sources: Sources;
}

interface Decoding {
  readonly events: { readonly event: WindowsEvent; readonly format: string }[];
  readonly failed: { readonly record: Uint8Array; readonly failure: Failure }[];
  readonly seen: Coverage[];
  notSelected: number;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #recent: RecentIds;
  readonly #coverage = new CoverageWindow();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#recent = new RecentIds(options.recentIdsMax);
  }

  /**
   * Takes one request; resolves once all of it is stored.
   * Errors: the bus's `Fault`, or that of `RecordLimit`; the sender is then told that nothing was taken. What was stored
   * before the fault may be stored again with the same id.
   */
  async take(input: Input): Promise<Taken> {
    const decoded = await this.#decode(input);
    const arrivals = await this.#arrivals(decoded, input.receiver);
    // From looking for known ids to marking them as being stored nothing else runs, so no two requests store one event.
    const fresh = this.#withoutKnown(arrivals);
    const attempt = Promise.withResolvers<void>();
    const ids = fresh.arrivals.map(({ id }) => id);
    const tracked = this.#recent.track(ids, attempt.promise);
    this.#publish([...fresh.arrivals.map(messageOf), ...this.#letters(decoded, input)]).then(
      attempt.resolve,
      attempt.reject,
    );
    await tracked;
    // Another request is storing these: they are taken when that one is.
    await Promise.all(fresh.awaited);
    for (const seen of decoded.seen) this.#coverage.note(seen);
    const taken = {
      events: fresh.arrivals.length,
      duplicates: decoded.events.length - fresh.arrivals.length,
      notSelected: decoded.notSelected,
      failures: decoded.failed.map(({ failure }) => failure),
    };
    this.#count(input, decoded, taken);
    return taken;
  }

  /** Stores bytes that could not even be told apart as records, as a dead letter. */
  async setAside(record: Uint8Array, from: Pick<Input, "receiver" | "source">, failure: Failure): Promise<void> {
    await this.take({ ...from, unreadable: [{ record, failure }] });
  }

  /** Stores the coverage summaries that are due; with `all`, also those that are not. */
  async storeCoverage(all = false): Promise<void> {
    const { bus, clock, metrics, logger } = this.#options;
    const summaries = all ? this.#coverage.rest() : this.#coverage.due(clock.elapsed());
    if (summaries.length === 0) return;
    try {
      await bus.publish(
        summaries.map((coverage) => ({
          topic: TOPICS.events.name,
          key: coverage.host,
          value: { kind: "coverage", ...coverage },
        })),
      );
      metrics.coverage(summaries.length);
    } catch (error) {
      this.#coverage.giveBack(summaries);
      metrics.coverageFailed();
      logger.warn({ error, summaries: summaries.length }, "coverage could not be stored and waits");
    }
  }

  async #decode(input: Input): Promise<Decoding> {
    const { zone, recordMaxBytes, recordsMax, clock } = this.#options;
    const selection = this.#options.selection();
    const decoded: Decoding = { events: [], failed: [...(input.unreadable ?? [])], seen: [], notSelected: 0 };
    const limit = new RecordLimit(recordsMax);
    limit.add(decoded.failed.length);
    const turns = new Turns();
    const options: DecoderOptions = {
      zone,
      receivedAt: clock.now(),
      selection,
      recordMaxBytes,
      onPassedOver(passed) {
        // A binary log is one record of its sender, and what is passed over in it never grows.
        if (!BINARY_LOGS.has(passed.source.format)) limit.add(passed.count);
        passOver(decoded, passed);
      },
      ...(input.host === undefined ? {} : { host: input.host }),
      ...(input.path === undefined ? {} : { path: input.path }),
    };
    const read = (bytes: Uint8Array, decoder: Decoder, marks?: readonly string[]): Promise<void> =>
      this.#read(bytes, decoder, {
        take(item) {
          limit.add();
          keep(decoded, item, { selection, marks });
        },
        turns,
        // A decoder that throws has a bug: what it was given is kept for whoever mends it, and nobody else is hurt.
        poisoned: (record, { error, at }) => decoded.failed.push({ record, failure: this.#poison(input, error, at) }),
      });
    if (input.body !== undefined) await read(input.body, createDecoder(options));
    for (const { bytes, host, marks, isFramed } of readingsOf(input.records ?? [])) {
      await read(
        bytes,
        createDecoder({ ...options, framed: isFramed, ...(host === undefined ? {} : { host }) }),
        marks,
      );
    }
    return decoded;
  }

  async #read(
    bytes: Uint8Array,
    decoder: Decoder,
    {
      take,
      turns,
      poisoned,
    }: {
      take(item: DecodedItem): void;
      readonly turns: Turns;
      poisoned(rest: Uint8Array, why: { readonly error: unknown; readonly at: number }): void;
    },
  ): Promise<void> {
    let at = 0;
    try {
      for (; at < bytes.length; at += SLICE_BYTES) {
        const slice = bytes.subarray(at, at + SLICE_BYTES);
        for (const item of decoder.push(slice)) take(item);
        await turns.worked(slice.length);
      }
      for (const item of decoder.end()) take(item);
    } catch (error) {
      if (isTooManyRecords(error)) throw error;
      poisoned(bytes.subarray(at), { error, at });
    }
  }

  #poison({ receiver }: Input, error: unknown, at: number): Failure {
    this.#options.logger.error({ error, receiver }, "a decoder threw; its input is in the dead letters");
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { reason: "ingest.decoder-threw", detail, offset: at };
  }

  async #arrivals({ events }: Decoding, receiver: string): Promise<readonly EventArrival[]> {
    const receivedAt = this.#options.clock.now();
    const turns = new Turns();
    const arrivals: EventArrival[] = [];
    for (const { event, format } of events) {
      arrivals.push({ kind: "event", id: eventIdentity(event), receivedAt, receiver, format, event });
      await turns.worked(IDENTITY_BYTES);
    }
    return arrivals;
  }

  #withoutKnown(all: readonly EventArrival[]): { arrivals: readonly EventArrival[]; awaited: Promise<void>[] } {
    const arrivals = new Map<string, EventArrival>();
    const awaited = new Set<Promise<void>>();
    for (const arrival of all) {
      const storing = this.#recent.storing(arrival.id);
      if (storing !== undefined) awaited.add(storing);
      else if (!this.#recent.isStored(arrival.id) && !arrivals.has(arrival.id)) arrivals.set(arrival.id, arrival);
    }
    return { arrivals: [...arrivals.values()], awaited: [...awaited] };
  }

  /** Publishes in slices; rejects with the first fault once all have settled. */
  async #publish(messages: readonly Outgoing[]): Promise<void> {
    const turns = new Turns();
    const stored: Promise<void>[] = [];
    for (let at = 0; at < messages.length; at += SLICE_MESSAGES) {
      const publishing = this.#options.bus.publish(messages.slice(at, at + SLICE_MESSAGES));
      // Heard below, with the others.
      publishing.catch(() => {});
      stored.push(publishing);
      await turns.worked(SLICE_BYTES);
    }
    const outcomes = await Promise.allSettled(stored);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  #letters({ failed }: Decoding, { receiver, source }: Input): readonly Outgoing[] {
    const at = this.#options.clock.now();
    return failed.map(({ record, failure }) => ({
      topic: TOPICS["dead-letters"].name,
      key: source["remote"] ?? receiver,
      value: deadLetter(record, { stage: "ingest", failure, at, source: { ...source, receiver } }),
    }));
  }

  #count({ receiver, source }: Input, decoded: Decoding, taken: Taken): void {
    const { metrics, sources } = this.#options;
    metrics.accepted(receiver, decoded.events.length + decoded.failed.length + decoded.notSelected);
    metrics.outcome(receiver, "event", taken.events);
    metrics.outcome(receiver, "duplicate", taken.duplicates);
    metrics.outcome(receiver, "not-selected", taken.notSelected);
    metrics.outcome(receiver, "dead-letter", taken.failures.length);
    const formats = new Map<string, number>();
    for (const { format } of decoded.events) formats.set(format, (formats.get(format) ?? 0) + 1);
    let newestAt: number | undefined;
    for (const { to } of decoded.seen) newestAt = Math.max(newestAt ?? to, to);
    sources.note({
      receiver,
      source,
      ...taken,
      deadLetters: taken.failures.length,
      formats,
      hosts: new Set([...decoded.seen.map(({ host }) => host), ...decoded.events.map(({ event }) => event.host)]),
      ...(newestAt === undefined ? {} : { newestAt }),
    });
  }
}

function messageOf(arrival: EventArrival): Outgoing {
  return { topic: TOPICS.events.name, key: arrival.event.host, value: arrival };
}

function keep(
  decoded: Decoding,
  item: DecodedItem,
  { selection, marks = [] }: { readonly selection: Selection; readonly marks: readonly string[] | undefined },
): void {
  if (item.event === undefined) {
    decoded.failed.push({ record: item.record, failure: item.failure });
    return;
  }
  const { source } = item;
  // Some formats cannot be judged by their bytes; decoded, an event can.
  if (!isWanted(item.event, selection)) {
    decoded.notSelected += 1;
    noteSeen(decoded, item.event);
    return;
  }
  const event = marks.length === 0 ? item.event : { ...item.event, marks: [...(item.event.marks ?? []), ...marks] };
  decoded.events.push({ event, format: source.format });
  noteSeen(decoded, event);
}

/** An event with two names may be meant by either, and one without a channel may be of any. */
function isWanted({ provider, providerAlias, channel, eventId }: WindowsEvent, selection: Selection): boolean {
  const name = providerAlias === undefined ? provider.toLowerCase() : undefined;
  return selection.wants(name, channel === "" ? undefined : channel.toLowerCase(), eventId);
}

function noteSeen(decoded: Decoding, event: WindowsEvent): void {
  if (event.timeQuality !== "event") return;
  const { computer, channel, timeCreated, recordId } = event;
  const id = Number(recordId ?? Number.NaN);
  const ids = Number.isSafeInteger(id) ? { firstRecordId: id, lastRecordId: id } : {};
  const seen = coverageOf({ count: 1, computer, channel, firstAt: timeCreated, lastAt: timeCreated, ...ids });
  if (seen !== undefined) decoded.seen.push(seen);
}

function passOver(decoded: Decoding, passed: PassedOver): void {
  decoded.notSelected += passed.count;
  const seen = coverageOf(passed);
  if (seen !== undefined) decoded.seen.push(seen);
}

/** Whether a fault of the bus means that the sender should come back later. */
export function isPassing(error: unknown): error is Fault {
  return error instanceof Fault && error.retriable;
}
