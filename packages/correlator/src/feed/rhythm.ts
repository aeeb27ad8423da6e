/**
 * How regularly a host is heard, and whether it has fallen silent. All lengths are of time during which the feed was heard,
 * so that a night in which we were down, or nobody sent, makes nobody silent.
 *
 * Only a host that was heard steadily for a day can fall silent: one that is quiet by nature, or is switched off at night,
 * never does.
 */
import { DAY_MS, type EpochMs, HOUR_MS } from "@culprit/model";

/** How long a host must have been heard steadily. */
const STEADY_MS = DAY_MS;
/** A host with a pause longer than this is not a steady one. */
const PAUSE_MAX_MS = 3 * HOUR_MS;
const SILENT_MIN_MS = HOUR_MS;
/** Silence is so many times the longest pause. */
const SILENT_PAUSES = 4;
/** How long a pause is remembered: at least this, at most twice. */
const PAUSE_MEMORY_MS = 7 * DAY_MS;

/** Plain data, so that it can be stored. */
export interface Rhythm {
  /** Since when it has been heard. */
  firstMs: number;
  lastMs: number;
  /** Time of its newest record. */
  lastAt: EpochMs;
  /** The longest pause of this stretch of memory and of the one before. */
  pauseMs: number;
  pauseBeforeMs: number;
  memorySinceMs: number;
  /** It was told as silent. */
  isSilent?: true;
}

export interface Silence {
  /** Time of the last record before it. */
  readonly since: EpochMs;
  readonly silentMs: number;
  readonly usualMs: number;
}

export function startRhythm(at: EpochMs, heardMs: number): Rhythm {
  return {
    firstMs: heardMs,
    lastMs: heardMs,
    lastAt: at,
    pauseMs: 0,
    pauseBeforeMs: 0,
    memorySinceMs: heardMs,
  };
}

/** Notes a record; answers the silence that it ends, where one was told. */
export function noteRecord(rhythm: Rhythm, at: EpochMs, heardMs: number): Silence | undefined {
  const ended = rhythm.isSilent === undefined ? undefined : silenceOf(rhythm, heardMs);
  const pause = heardMs - rhythm.lastMs;
  if (heardMs - rhythm.memorySinceMs > PAUSE_MEMORY_MS) {
    rhythm.pauseBeforeMs = rhythm.pauseMs;
    rhythm.pauseMs = 0;
    rhythm.memorySinceMs = heardMs;
  }
  rhythm.pauseMs = Math.max(rhythm.pauseMs, pause);
  rhythm.lastMs = heardMs;
  rhythm.lastAt = Math.max(rhythm.lastAt, at);
  if (ended !== undefined) {
    delete rhythm.isSilent;
    rhythm.firstMs = heardMs;
  }
  return ended;
}

/** The silence of a host that used to be heard steadily and no longer is; told once. */
export function fallenSilent(rhythm: Rhythm, heardMs: number): Silence | undefined {
  const longest = Math.max(rhythm.pauseMs, rhythm.pauseBeforeMs);
  if (rhythm.isSilent !== undefined || longest > PAUSE_MAX_MS || rhythm.lastMs - rhythm.firstMs < STEADY_MS)
    return undefined;
  if (heardMs - rhythm.lastMs < silentAfterMs(longest)) return undefined;
  rhythm.isSilent = true;
  return silenceOf(rhythm, heardMs);
}

/** No host is silent before this. */
export const SILENT_AFTER_MIN_MS = SILENT_MIN_MS;

function silentAfterMs(longestPauseMs: number): number {
  return Math.max(SILENT_MIN_MS, SILENT_PAUSES * longestPauseMs);
}

function silenceOf(rhythm: Rhythm, heardMs: number): Silence {
  return {
    since: rhythm.lastAt,
    silentMs: heardMs - rhythm.lastMs,
    usualMs: Math.max(rhythm.pauseMs, rhythm.pauseBeforeMs),
  };
}
