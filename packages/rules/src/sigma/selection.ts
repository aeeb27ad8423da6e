/**
 * What a record must show for a rule set to care: providers, channels, event ids and texts. Ingest asks this of raw bytes
 * before it decodes, and forwarders may ask it at the source; so it may let too much through, never too little.
 *
 * Source: ARCHITECTURE "Select before decode".
 */
import { providerKey } from "@culprit/model";
import type { Query, Test } from "./expression.ts";
import { keyTextsOf } from "./plan.ts";
import { holdsForKind } from "./possible.ts";
import { requiredLiterals } from "./required.ts";
import type { Ruleset } from "./ruleset.ts";

/** Records that some rules want: those that show one value of each list. A list that is missing restricts nothing. */
export interface SelectionEntry {
  /** Provider keys (model's `providerKey`), sorted. */
  readonly providers?: readonly string[];
  /** Lower case, sorted. */
  readonly channels?: readonly string[];
  /** Sorted. */
  readonly eventIds?: readonly number[];
  /**
   * Lower-case runs of letters and digits, one of which stands in the record however it is escaped as JSON or XML with
   * plain letters; a record with escaped letters (`\u0041`, `&#65;`) cannot be judged by them.
   */
  readonly literals?: readonly string[];
}

export interface RuleSelection {
  /** Whether some rule asks for no provider, channel, id or text by name: then only `wants` can leave anything out. */
  readonly always: boolean;
  /** Empty where `always`. */
  readonly entries: readonly SelectionEntry[];
  /**
   * Whether a record is worth decoding. Names are lower case; `undefined` where the record does not show it, and the
   * answer then holds for any name.
   */
  wants(provider: string | undefined, channel: string | undefined, eventId: number): boolean;
}

export interface SelectionOptions {
  /** Fields that are not in the record as such (`BugcheckCode`): their values are no literals of it. */
  readonly derived?: Pick<ReadonlySet<string>, "has">;
}

/** The selection of a rule set: its detections, those that feed correlations included. */
export function selectionOf(
  ruleset: { readonly internals: Pick<Ruleset["internals"], "queries"> },
  { derived = new Set() }: SelectionOptions = {},
): RuleSelection {
  const merged = new Map<string, { entry: SelectionEntry; ids: Set<number> | undefined }>();
  const asked: Asked[] = [];
  let always = false;
  for (const query of ruleset.internals.queries.values()) {
    const entry = entryOf(query, derived);
    if (entry === undefined) continue;
    const { eventIds, ...rest } = entry;
    asked.push({ query, eventIds });
    if (eventIds === undefined && Object.keys(rest).length === 0) always = true;
    // Rules that differ in their ids alone are one entry; literals of different rules stay apart.
    const key = JSON.stringify([rest.providers, rest.channels, rest.literals, eventIds === undefined]);
    const held = merged.get(key);
    if (held === undefined)
      merged.set(key, { entry: rest, ids: eventIds === undefined ? undefined : new Set(eventIds) });
    else for (const id of eventIds ?? []) held.ids?.add(id);
  }
  const wants = wantsOf(asked);
  if (always) return { always, entries: [], wants };
  const entries = [...merged.values()].map(({ entry, ids }) => {
    return ids === undefined ? entry : { ...entry, eventIds: [...ids].sort((a, b) => a - b) };
  });
  return { always, entries, wants };
}

/** A query, and the event ids without which it cannot hold. */
interface Asked {
  readonly query: Query;
  readonly eventIds: readonly number[] | undefined;
}

/** Kinds whose verdict is remembered; at the limit all are forgotten. */
const VERDICTS_MAX = 20_000;

function wantsOf(asked: readonly Asked[]): RuleSelection["wants"] {
  const byId = new Map<number, Query[]>();
  const anyId: Query[] = [];
  for (const { query, eventIds } of asked) {
    if (eventIds === undefined) anyId.push(query);
    for (const id of eventIds ?? []) {
      const held = byId.get(id);
      if (held === undefined) byId.set(id, [query]);
      else held.push(query);
    }
  }
  const verdicts = new Map<string, boolean>();
  return (provider, channel, eventId) => {
    const key = `${eventId}\n${provider ?? "\n"}\n${channel ?? "\n"}`;
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    const kind = { provider, channel, eventId };
    const mayHold = (query: Query): boolean => holdsForKind(query, kind) !== false;
    const verdict = byId.get(eventId)?.some(mayHold) === true || anyId.some(mayHold);
    if (verdicts.size >= VERDICTS_MAX) verdicts.clear();
    verdicts.set(key, verdict);
    return verdict;
  };
}

/** What a query asks of a record; `undefined` for one that no record can meet. */
function entryOf(query: Query, derived: Pick<ReadonlySet<string>, "has">): SelectionEntry | undefined {
  const ids = requiredTexts(query, "EventID");
  const channels = requiredTexts(query, "Channel");
  const providers = requiredTexts(query, "Provider_Name");
  if (ids?.size === 0 || channels?.size === 0 || providers?.size === 0) return undefined;
  const eventIds = ids === undefined ? undefined : [...ids].filter((text) => /^\d{1,5}$/.test(text)).map(Number);
  if (eventIds?.length === 0) return undefined;
  const literals = literalsOf(query, derived);
  return {
    ...(providers === undefined ? {} : { providers: [...new Set([...providers].map(providerKey))].sort() }),
    ...(channels === undefined ? {} : { channels: [...channels].sort() }),
    ...(eventIds === undefined ? {} : { eventIds: [...new Set(eventIds)].sort((a, b) => a - b) }),
    ...(literals === undefined ? {} : { literals }),
  };
}

/** The texts of which a field must be one for the query to hold; `undefined` where it may be anything. */
function requiredTexts(query: Query, field: string): ReadonlySet<string> | undefined {
  switch (query.kind) {
    case "constant":
      return query.value ? undefined : new Set();
    case "not":
      return undefined;
    case "test":
      return textsOfTest(query, field);
    case "and": {
      const sets = query.items.map((item) => requiredTexts(item, field)).filter((set) => set !== undefined);
      // A field with several values may meet two lists by different values, so lists are not intersected.
      return sets.reduce<ReadonlySet<string> | undefined>(
        (best, set) => (best === undefined || set.size < best.size ? set : best),
        undefined,
      );
    }
    case "or": {
      const all = new Set<string>();
      for (const item of query.items) {
        const texts = requiredTexts(item, field);
        if (texts === undefined) return undefined;
        for (const text of texts) all.add(text);
      }
      return all;
    }
  }
}

function textsOfTest(test: Test, field: string): ReadonlySet<string> | undefined {
  const texts = test.field === field ? keyTextsOf(test) : undefined;
  return texts === undefined ? undefined : new Set(texts);
}

/** Shorter runs are in every record. */
const RUN_MIN_LENGTH = 4;
/** Names that the other lists already ask for, or that are written otherwise in a record than in a rule. */
const NOT_LITERAL: ReadonlySet<string> = new Set([
  ...[
    "EventID",
    "Channel",
    "Provider_Name",
    "Level",
    "Keywords",
    "Task",
    "Opcode",
    "TimeCreated",
    "UtcTime",
    "Version",
  ],
]);

function literalsOf(query: Query, derived: Pick<ReadonlySet<string>, "has">): readonly string[] | undefined {
  const rest = query.kind === "and" ? query.items : [query];
  let best: readonly string[] | undefined;
  for (const item of rest) {
    const literals = requiredLiterals(item);
    if (literals === undefined || literals.length === 0) continue;
    const runs = literals.map(({ field, text }) => {
      const isPlain = field !== undefined && !derived.has(field) && !NOT_LITERAL.has(field);
      return isPlain ? longestRun(text) : "";
    });
    if (runs.some((run) => run.length < RUN_MIN_LENGTH)) continue;
    const distinct = [...new Set(runs)].sort();
    if (best === undefined || distinct.length < best.length) best = distinct;
  }
  return best;
}

function longestRun(text: string): string {
  let best = "";
  for (const [run] of text.matchAll(/[a-z0-9]+/g)) if (run.length > best.length) best = run;
  return best;
}
