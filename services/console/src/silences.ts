/** Silences as people ask for them and as the API shows them, and how they get onto the `actions` topic. */
import type { Bus } from "@culprit/bus";
import {
  type ActionOrigin,
  contentId,
  DAY_MS,
  type Decoded,
  type EpochMs,
  failure,
  isoOf,
  MINUTE_MS,
  SILENCE_COMMENT_MAX_LENGTH,
  SILENCE_MAX_MS,
  Silence,
  SilenceMatch,
  silenceKey,
  silenceState,
  success,
  TOPICS,
  WeeklySchedule,
} from "@culprit/model";
import type { Clock } from "@culprit/runtime";
import { z } from "zod";

/** Silences that may stand at once. */
const SILENCES_MAX = 1_000;
/** How long one that has ended can still be looked at. */
const ENDED_KEPT_MS = 30 * DAY_MS;

const Instant = z.iso.datetime({ offset: true });
const Who = z.string().trim().min(1).max(100);

export const SilenceBody = z
  .strictObject({
    match: SilenceMatch,
    /** Now unless given. */
    from: z.exactOptional(Instant),
    until: z.exactOptional(Instant),
    /** Instead of `until`. */
    forMs: z.exactOptional(z.int().min(MINUTE_MS).max(SILENCE_MAX_MS)),
    recurrence: z.exactOptional(WeeklySchedule),
    /** Needed where nobody has logged in; else it is who has. */
    who: z.exactOptional(Who),
    comment: z.string().trim().min(1).max(SILENCE_COMMENT_MAX_LENGTH),
  })
  .refine(({ until, forMs }) => (until === undefined) !== (forMs === undefined), "give either until or forMs");
export type SilenceBody = z.output<typeof SilenceBody>;

export const PreviewBody = z.strictObject({ match: SilenceMatch });
export const LiftQuery = z.strictObject({ who: z.exactOptional(Who) });

/** A silence as the API shows it: instants as text, and how it stands. */
export const SilenceView = z.object({
  ...Silence.omit({ kind: true }).shape,
  state: z.enum(["pending", "active", "between", "ended"]),
  from: Instant,
  until: Instant,
  at: Instant,
  changesAt: z.exactOptional(Instant),
  lifted: z.exactOptional(z.object({ at: Instant, who: z.string() })),
});
export type SilenceView = z.output<typeof SilenceView>;

export function silenceView({ kind: _, lifted, ...silence }: Silence, now: EpochMs): SilenceView {
  const { state, changesAt } = silenceState({ kind: "silence", ...silence, ...(lifted && { lifted }) }, now);
  return {
    ...silence,
    state,
    from: isoOf(silence.from),
    until: isoOf(silence.until),
    at: isoOf(silence.at),
    ...(changesAt === undefined ? {} : { changesAt: isoOf(changesAt) }),
    ...(lifted === undefined ? {} : { lifted: { ...lifted, at: isoOf(lifted.at) } }),
  };
}

/** A silence as somebody asks for it. */
interface AskedSilence extends Omit<SilenceBody, "who"> {
  readonly who: string;
  readonly origin: ActionOrigin;
}

export interface SilenceWriter {
  /**
   * Stores a silence; resolves once it is durable. A caller that repeats itself gives the same key, and gets the same
   * silence. Errors as values: `console.bad-request`, `console.too-many-silences`; thrown: those of `Bus.publish`.
   */
  add(asked: AskedSilence, idempotencyKey?: string): Promise<Decoded<Silence>>;
  /** Ends a silence before its time; one that has ended stays as it is. */
  lift(silence: Silence, who: string): Promise<Silence>;
}

export function silenceWriter(context: {
  readonly bus: Pick<Bus, "publish">;
  readonly clock: Clock;
  /** A text that no other silence has. */
  readonly unique: () => string;
  readonly known: () => readonly Silence[];
}): SilenceWriter {
  const { bus, clock, unique, known } = context;
  const topic = TOPICS.actions.name;
  return {
    async add(asked, idempotencyKey) {
      const now = clock.now();
      const made = silenceOfBody(
        asked,
        now,
        idempotencyKey === undefined ? `new ${unique()}` : `key ${idempotencyKey}`,
      );
      if (!made.ok) return made;
      const standing = known().filter((silence) => silenceState(silence, now).state !== "ended");
      if (standing.length >= SILENCES_MAX && !standing.some(({ id }) => id === made.value.id)) {
        return failure("console.too-many-silences", `${SILENCES_MAX} silences stand already; lift some first`);
      }
      // Whoever adds also clears away what nobody looks at any more, so that the topic stays small.
      const stale = known().filter((silence) => endOf(silence) < now - ENDED_KEPT_MS);
      await bus.publish([
        ...stale.map((silence) => ({ topic, key: silenceKey(silence), value: null })),
        { topic, key: silenceKey(made.value), value: made.value },
      ]);
      return made;
    },
    async lift(silence, who) {
      const at = clock.now();
      if (silenceState(silence, at).state === "ended") return silence;
      const lifted: Silence = { ...silence, lifted: { at, who } };
      await bus.publish([{ topic, key: silenceKey(lifted), value: lifted }]);
      return lifted;
    },
  };
}

function endOf(silence: Silence): EpochMs {
  return Math.min(silence.until, silence.lifted?.at ?? Infinity);
}

function silenceOfBody(body: AskedSilence, now: EpochMs, seed: string): Decoded<Silence> {
  const from = body.from === undefined ? now : Date.parse(body.from);
  const until = body.until === undefined ? from + (body.forMs ?? 0) : Date.parse(body.until);
  if (until <= from) return failure("console.bad-request", "until: it has to come after the beginning");
  if (until <= now) return failure("console.bad-request", "until: it is over already");
  if (until - from > SILENCE_MAX_MS) return failure("console.bad-request", "until: a silence lasts at most 366 days");
  const { match, recurrence, who, comment, origin } = body;
  const id = contentId("silence", who, seed);
  const given = recurrence === undefined ? {} : { recurrence };
  return success({ kind: "silence", id, match, from, until, ...given, who, comment, at: now, origin });
}
