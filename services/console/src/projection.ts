/**
 * What the console shows: incidents, what people did, what notifiers were told, and the newest dead letters, all read from
 * the topics. It holds nothing of its own and is rebuilt at each start.
 */
import { type Bus, openTable, type Table } from "@culprit/bus";
import {
  Action,
  compareSeverity,
  DeadLetter,
  Delivery,
  type EpochMs,
  Incident,
  type IncidentId,
  type IncidentStatus,
  inOrder,
  type Recurrence,
  recurrenceOf,
  type Severity,
  Silence,
  SourceReport,
  type Standing,
  silenceOf,
  standingOf,
  TOPICS,
} from "@culprit/model";

export const SORT_KEYS = ["updated", "started", "severity"] as const;
type SortKey = (typeof SORT_KEYS)[number];

const ID_PREFIX = /^[0-9a-f]{8,64}$/;

interface IncidentQuery {
  readonly status?: readonly IncidentStatus[];
  readonly severity?: readonly Severity[];
  /** Text that the title or the scope holds, in any case. */
  readonly text?: string;
  /** Also those that a wider incident explains. */
  readonly withChildren: boolean;
  readonly sort: SortKey;
  readonly offset: number;
  readonly limit: number;
}

export interface StoredLetter extends DeadLetter {
  readonly id: string;
}

export interface Projection {
  /** Resolves once everything that was there at the start has been read. */
  incident(id: string): Incident | undefined;
  /** By its id, or by so much of its beginning that it can be no other; at least eight characters. */
  incidentLike(id: string): Incident | undefined;
  list(query: IncidentQuery): { readonly total: number; readonly incidents: readonly Incident[] };
  /** How many by status, children left out. */
  counts(): Readonly<Record<IncidentStatus, number>>;
  /** What people have made of it: until when an acknowledgement holds, since when nobody has it. */
  standing(id: IncidentId): Standing | undefined;
  /** Whether it has happened before. */
  recurrence(incident: Incident): Recurrence | undefined;
  actions(id: IncidentId): readonly Action[];
  deliveries(id: IncidentId): readonly Delivery[];
  deadLetters(limit: number): readonly StoredLetter[];
  /** Also those that have ended; the newest first. */
  silences(): readonly Silence[];
  silence(id: string): Silence | undefined;
  /** The silence that keeps an incident quiet now. */
  silenceOver(incident: Incident): Silence | undefined;
  /** What each process of ingest says of each sender. */
  sources(): readonly SourceReport[];
  /** Called with the id of each incident that changes in any way. */
  onChange(listener: (id: IncidentId) => void): () => void;
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** Reads the topics and goes on following them. */
export async function openProjection(
  bus: Bus,
  options: { readonly deadLettersMax: number; readonly now: () => EpochMs },
): Promise<Projection> {
  const listeners = new Set<(id: IncidentId) => void>();
  const changed = (id: IncidentId): void => {
    for (const listener of listeners) listener(id);
  };
  const actions = new Map<IncidentId, Map<string, Action>>();
  const silences = new Map<string, Silence>();
  const deliveries = new Map<IncidentId, Map<string, Delivery>>();
  const incidents = await openTable(bus, TOPICS.incidents.name, (message) => parsed(Incident, message.value));
  const tables: readonly Table<unknown>[] = [
    incidents,
    await openTable(bus, TOPICS.actions.name, (message) => {
      const silence = parsed(Silence, message.value);
      if (silence !== undefined) {
        silences.set(silence.id, silence);
        return silence.id;
      }
      const action = parsed(Action, message.value);
      if (action !== undefined) keep(actions, action.incident, action.id, action);
      return action?.incident;
    }),
    await openTable(bus, TOPICS.deliveries.name, (message) => {
      const delivery = parsed(Delivery, message.value);
      if (delivery !== undefined) keep(deliveries, delivery.incident, delivery.notifier, delivery);
      return delivery?.incident;
    }),
  ];
  const sources = await openTable(bus, TOPICS.sources.name, (message) => parsed(SourceReport, message.value));
  for (const [index, table] of tables.entries()) {
    table.onChange((key, value) => changed((index === 0 ? key : value) as IncidentId));
  }
  tables[1]?.onChange((key, value) => {
    if (value === undefined) silences.delete(key);
  });
  incidents.onChange((id, incident) => {
    if (incident !== undefined) return;
    actions.delete(id as IncidentId);
    deliveries.delete(id as IncidentId);
  });
  const letters: StoredLetter[] = [];
  const follower = await bus.follow({
    topic: TOPICS["dead-letters"].name,
    handle({ partition, messages }) {
      for (const { offset, value } of messages) {
        const letter = parsed(DeadLetter, value);
        if (letter !== undefined) letters.push({ id: `${partition}-${offset}`, ...letter });
      }
      letters.splice(0, Math.max(0, letters.length - options.deadLettersMax));
    },
  });
  await follower.caughtUp;

  function withActions(incident: Incident): Incident {
    const { status } = standingOf(incident, actions.get(incident.id)?.values() ?? [], options.now());
    return { ...incident, status };
  }
  function* all(): Generator<Incident> {
    for (const [, incident] of incidents.entries()) yield withActions(incident);
  }

  return {
    incident(id) {
      const incident = incidents.get(id);
      return incident === undefined ? undefined : withActions(incident);
    },
    incidentLike(id) {
      const known = incidents.get(id);
      if (known !== undefined || !ID_PREFIX.test(id)) return known === undefined ? undefined : withActions(known);
      const [only, ...more] = [...incidents.entries()].filter(([key]) => key.startsWith(id));
      return only === undefined || more.length > 0 ? undefined : withActions(only[1]);
    },
    list(query) {
      const found = [...all()].filter((incident) => matches(incident, query)).sort(orders[query.sort]);
      return { total: found.length, incidents: found.slice(query.offset, query.offset + query.limit) };
    },
    counts() {
      const counts = { open: 0, acknowledged: 0, resolved: 0, closed: 0 };
      for (const incident of all()) if (incident.parent === undefined) counts[incident.status] += 1;
      return counts;
    },
    standing(id) {
      const incident = incidents.get(id);
      if (incident === undefined) return undefined;
      return standingOf(incident, actions.get(id)?.values() ?? [], options.now());
    },
    recurrence(incident) {
      const known = [...incidents.entries()].map(([, other]) => other);
      return recurrenceOf(incident, known, (id) => actions.get(id)?.values() ?? []);
    },
    actions: (id) => inOrder(actions.get(id)?.values() ?? []),
    deliveries: (id) => [...(deliveries.get(id)?.values() ?? [])],
    deadLetters: (limit) => letters.slice(-limit).reverse(),
    silences: () => [...silences.values()].sort((a, b) => b.at - a.at || newest(a.id, b.id)),
    silence: (id) => silences.get(id),
    silenceOver: (incident) => silenceOf(incident, silences.values(), options.now())?.silence,
    sources: () => [...sources.entries()].map(([, report]) => report),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ended: Promise.all([...tables.map(({ ended }) => ended), sources.ended, follower.ended]),
    async close() {
      for (const table of [...tables, sources]) await table.close();
      await follower.close();
    },
  };
}

function parsed<T>(
  schema: { safeParse(value: unknown): { success: boolean; data?: T | undefined } },
  value: unknown,
): T | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}

function keep<T>(held: Map<IncidentId, Map<string, T>>, incident: IncidentId, key: string, value: T): void {
  const of = held.get(incident) ?? new Map<string, T>();
  of.set(key, value);
  held.set(incident, of);
}

function matches(incident: Incident, query: IncidentQuery): boolean {
  if (!query.withChildren && incident.parent !== undefined) return false;
  if (query.status !== undefined && !query.status.includes(incident.status)) return false;
  if (query.severity !== undefined && !query.severity.includes(incident.severity)) return false;
  const text = query.text?.toLowerCase();
  if (text === undefined) return true;
  return [incident.title, ...incident.scope.map(({ id }) => id)].some((part) => part.toLowerCase().includes(text));
}

const newest = (a: string, b: string): number => (a > b ? -1 : Number(a < b));
/** The id makes every order total, so that pages of a list never overlap. */
const byId = (a: Incident, b: Incident): number => newest(a.id, b.id);
const orders: Readonly<Record<SortKey, (a: Incident, b: Incident) => number>> = {
  updated: (a, b) => newest(a.updatedAt, b.updatedAt) || byId(a, b),
  started: (a, b) => newest(a.startedAt, b.startedAt) || byId(a, b),
  severity: (a, b) => compareSeverity(a.severity, b.severity) || newest(a.startedAt, b.startedAt) || byId(a, b),
};
