/**
 * The delivery engine: follows what incidents are, what people did and what was delivered, and keeps a worker per target
 * that tells the difference.
 *
 * A partition of `incidents` belongs to one process, which alone sends for its incidents. When it gets a partition, it
 * first reads all delivery records there are, then compares every incident of the partition: so a restart or a new owner
 * goes on with the keys and message ids of the old one, and what was due in between is sent.
 */
import { type Bus, openTable, type Table } from "@culprit/bus";
import {
  Action,
  Delivery,
  deliveryKey,
  durationText,
  Incident,
  type IncidentId,
  isoOf,
  recurrenceOf,
  type Standing,
  standingOf,
  TOPICS,
} from "@culprit/model";
import { type Clock, repeat, retry } from "@culprit/runtime";
import type { Register } from "./callbacks/reply-desk.ts";
import { type Claim, claimOf } from "./claim.ts";
import { type NotifyConfig, type TargetConfig, zoneOf } from "./config.ts";
import type { DeliveryEvent, Desk, Outlook } from "./desk.ts";
import { isDigest } from "./digest.ts";
import type { Offers } from "./links/offer.ts";
import type { Notifier } from "./notifier.ts";
import { composePage, isOver, type PageContent } from "./page-content.ts";
import { peopleNotice } from "./people-notice.ts";
import { SilenceBook } from "./silence-book.ts";
import { Target } from "./target.ts";
import { type PageTemplate, templatesOf } from "./template.ts";
import { clockText, zoneName } from "./time-text.ts";

export interface EngineOptions {
  readonly bus: Bus;
  readonly config: NotifyConfig;
  readonly clock: Clock;
  readonly random: () => number;
  /** Opened notifiers by target name. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** How often a kind has to be told again what it was told. */
  readonly keepAliveMs: (kind: string) => number | undefined;
  /** Whether a kind wakes people, who want no more than so many pages. */
  readonly wakesPeople: (kind: string) => boolean;
  readonly observe: (event: DeliveryEvent) => void;
  /** The answers that pages offer. */
  readonly offers: Offers;
}

interface Placed {
  readonly incident: Incident;
  readonly partition: number;
}

export class Engine implements Desk, Register {
  readonly #options: EngineOptions;
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #templates: ReadonlyMap<string, PageTemplate>;
  readonly #owned = new Set<number>();
  readonly #stopping = new AbortController();
  /** Newest known records; this process's own writes stand here before the topic brings them back. */
  readonly #records = new Map<string, Delivery>();
  readonly #actions = new Map<IncidentId, Map<string, Action>>();
  readonly #silences = new SilenceBook();
  /** Which incident lists a child: it may say so before the child itself does. */
  readonly #parents = new Map<IncidentId, IncidentId>();
  #incidents: Table<Placed> | undefined;
  #tables: readonly Table<unknown>[] = [];
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#templates = templatesOf(options.config);
    this.#targets = new Map(options.config.targets.map((target) => [target.name, this.#openTarget(target)]));
  }

  /** Reads the tables, then starts the workers; nothing is sent before `own`. */
  async start(): Promise<void> {
    const { bus, clock, config } = this.#options;
    const deliveries = await openTable(bus, TOPICS.deliveries.name, (message) => {
      const record = Delivery.safeParse(message.value);
      if (record.success) this.#learn(record.data);
      return record.success;
    });
    const actions = await openTable(bus, TOPICS.actions.name, (message) => {
      const change = this.#silences.learn(message.value);
      if (change !== undefined) {
        this.#offerWhere(change.covers);
        return true;
      }
      const action = Action.safeParse(message.value);
      if (action.success) this.#act(action.data);
      return action.success;
    });
    const incidents = await openTable(bus, TOPICS.incidents.name, (message): Placed | undefined => {
      const incident = Incident.safeParse(message.value);
      if (!incident.success) return undefined;
      this.#adoptChildren(incident.data);
      return { incident: incident.data, partition: message.partition };
    });
    actions.onChange((key, known) => {
      if (known === undefined) this.#silences.forget(key);
    });
    this.#incidents = incidents;
    this.#tables = [deliveries, actions, incidents];
    incidents.onChange((id, placed) => {
      if (placed === undefined) this.#forget(id as IncidentId);
      else this.#offer(placed);
    });
    const { signal } = this.#stopping;
    const workers = [...this.#targets.values()].map((target) => target.run(signal));
    const sweep = repeat({ clock, everyMs: config.reconcileEveryMs, signal, work: () => this.#sweep() });
    this.#running = Promise.all([...workers, sweep]);
  }

  /** Settles, with what went wrong, when the engine can no longer do its work. */
  get failed(): Promise<never> {
    const ends = [...this.#tables.map(({ ended }) => ended), this.#running];
    const failures = ends.map((end) => end.then(() => new Promise<never>(() => {})));
    return Promise.race(failures);
  }

  /** Takes a partition of `incidents`: from now on this process sends for it. */
  async own(partition: number): Promise<void> {
    await this.#refresh();
    this.#owned.add(partition);
    this.#offerAll();
  }

  disown(partition: number): void {
    this.#owned.delete(partition);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    for (const table of this.#tables) await table.close();
  }

  get targets(): Iterable<Target> {
    return this.#targets.values();
  }

  incident(id: IncidentId): Incident | undefined {
    const incident = this.#incidents?.get(id)?.incident;
    if (incident === undefined) return undefined;
    const { status } = this.#standing(incident);
    const parent = incident.parent ?? this.#listedUnder(id);
    return { ...incident, status, ...(parent === undefined ? {} : { parent }) };
  }

  /** A partition that went to another process took with it whatever still waited here. */
  ownIncident(id: IncidentId): Incident | undefined {
    const placed = this.#incidents?.get(id);
    return placed === undefined || !this.#owned.has(placed.partition) ? undefined : this.incident(id);
  }

  /** The incident whose page some target holds under a key; an open page before a closed one. */
  incidentOfKey(key: string): IncidentId | undefined {
    const holding = [...this.#records.values()].filter((record) => record.key === key && record.held !== "none");
    return (holding.find(({ held }) => held === "open") ?? holding[0])?.incident;
  }

  isDone(incident: IncidentId, id: string): boolean {
    return this.#actions.get(incident)?.has(id) === true || this.#silences.has(id);
  }

  record(id: IncidentId, notifier: string): Delivery | undefined {
    return this.#records.get(deliveryKey({ incident: id, notifier }));
  }

  async store(records: readonly Delivery[]): Promise<void> {
    const { bus, clock, random } = this.#options;
    const messages = records.map((record) => ({
      topic: TOPICS.deliveries.name,
      key: deliveryKey(record),
      value: record,
    }));
    // The topic may bring them back before the publish is known to be done.
    const known = records.map((record) => ({ record, before: this.record(record.incident, record.notifier) }));
    await retry(() => bus.publish(messages), { clock, random });
    for (const { record, before } of known) {
      this.#learn(record);
      if (before?.openedAt === record.openedAt && before?.intent?.since === record.intent?.since) continue;
      // Whoever stands in when nobody acknowledges has to know from when to count.
      const next = this.#options.config.targets.find(({ name }) => name === record.notifier)?.escalateTo;
      if (next !== undefined) this.#targets.get(next)?.offer(record.incident);
    }
  }

  outlook(incident: Incident, notifier: string): Outlook {
    const now = this.#options.clock.now();
    const claim = this.#claim(incident, notifier);
    const silence = this.#silences.over(incident, now);
    const { acknowledgedUntil } = this.#standing(this.#incidents?.get(incident.id)?.incident ?? incident);
    const changes = [claim.changesAt, silence?.until, acknowledgedUntil].flatMap((at) => at ?? []);
    return {
      wanted: claim.wanted,
      silenced: silence !== undefined,
      ...(changes.length === 0 ? {} : { changesAt: Math.min(...changes) }),
    };
  }

  compose(incident: Incident, notifier: string): PageContent {
    const { config, clock } = this.#options;
    const actions = this.#actions.get(incident.id)?.values() ?? [];
    const notices = [
      this.#noticeFor(incident, notifier),
      peopleNotice(incident, actions, zoneOf(config, notifier)),
    ].filter((notice) => notice !== undefined);
    const known = [...(this.#incidents?.entries() ?? [])].map(([, placed]) => placed.incident);
    const history = recurrenceOf(incident, known, (id) => this.#actions.get(id)?.values() ?? []);
    const page = composePage(incident, {
      timeZone: zoneOf(config, notifier),
      now: isoOf(clock.now()),
      ...(config.consoleUrl === undefined ? {} : { consoleUrl: config.consoleUrl }),
      ...(notices.length === 0 ? {} : { notice: notices.join("; ") }),
      ...(history === undefined ? {} : { history }),
      ...(isDigest(incident) ? {} : { replies: this.#options.offers(incident, notifier, clock.now()) }),
    });
    if (isDigest(incident)) return { ...page, link: config.consoleUrl };
    return this.#templates.get(notifier)?.(page, incident) ?? page;
  }

  seats(): readonly number[] {
    return [...this.#owned].sort((a, b) => a - b);
  }

  handOver(id: IncidentId, from: string): void {
    const fallback = this.#options.config.targets.find((target) => target.name === from)?.fallback;
    if (fallback !== undefined) this.#targets.get(fallback)?.offer(id);
  }

  offerDue(notifier: string): void {
    const target = this.#targets.get(notifier);
    for (const [, { incident, partition }] of this.#incidents?.entries() ?? []) {
      if (this.#owned.has(partition) && this.#isUnfinished(incident)) target?.offerIfDue(incident.id);
    }
  }

  /** Why this page came to a target that would not have had it, in a sentence. */
  #noticeFor(incident: Incident, notifier: string): string | undefined {
    const { handedOver, escalated } = this.#claim(incident, notifier);
    if (handedOver !== undefined) {
      const timeZone = zoneOf(this.#options.config, notifier);
      const at = `${clockText(isoOf(handedOver.at), timeZone)} ${zoneName(timeZone)}`;
      return `"${handedOver.from}" did not take this page (${at}), so it comes here`;
    }
    if (escalated === undefined) return undefined;
    return `Nobody acknowledged it at "${escalated.from}" for ${durationText(escalated.afterMs)}, so it comes here`;
  }

  #claim(incident: Incident, notifier: string): Claim {
    const { config, clock } = this.#options;
    return claimOf(incident, notifier, {
      targets: config.targets,
      recordOf: (name) => this.record(incident.id, name),
      standing: this.#standing(this.#incidents?.get(incident.id)?.incident ?? incident),
      now: clock.now(),
    });
  }

  /** What people have made of an incident, as the engine of correlation left it. */
  #standing(incident: Incident): Standing {
    return standingOf(incident, this.#actions.get(incident.id)?.values() ?? [], this.#options.clock.now());
  }

  #openTarget(config: TargetConfig): Target {
    const { clock, random, observe, notifiers } = this.#options;
    const notifier = notifiers.get(config.name);
    if (notifier === undefined) throw new TypeError(`no notifier was opened for the target ${config.name}`);
    const { name, rate, timeoutMs, giveUpAfterMs, authPauseMs, groupWaitMs, updateEveryMs, repeatMs } = config;
    const { queueMax, digestOver } = config;
    const keepAliveMs = this.#options.keepAliveMs(config.kind);
    return new Target(
      {
        name,
        notifier,
        hasFallback: config.fallback !== undefined,
        rate,
        timeoutMs,
        giveUpAfterMs,
        authPauseMs,
        groupWaitMs,
        updateEveryMs,
        queueMax,
        ...(this.#options.wakesPeople(config.kind) ? { digestOver } : {}),
        ...(repeatMs === undefined ? {} : { repeatMs }),
        ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
      },
      { desk: this, clock, random, observe },
    );
  }

  #learn(record: Delivery): void {
    const key = deliveryKey(record);
    const held = this.#records.get(key);
    if (held === undefined || held.step < record.step) this.#records.set(key, record);
  }

  /** An incident that is removed from its topic takes with it what is remembered of it. */
  #forget(id: IncidentId): void {
    this.#actions.delete(id);
    this.#parents.delete(id);
    for (const notifier of this.#targets.keys()) this.#records.delete(deliveryKey({ incident: id, notifier }));
  }

  #act(action: Action): void {
    const held = this.#actions.get(action.incident) ?? new Map<string, Action>();
    held.set(action.id, action);
    this.#actions.set(action.incident, held);
    const placed = this.#incidents?.get(action.incident);
    if (placed !== undefined) this.#offer(placed);
  }

  /** A child that an incident takes in or lets go changes what both have to say. */
  #offer({ incident }: Placed): void {
    const family = [incident.parent ?? [], incident.id, incident.children, this.#parents.get(incident.id) ?? []].flat();
    for (const id of new Set(family)) this.#offerOne(id);
  }

  /** A silence that begins, ends or is lifted concerns whatever it covers. */
  #offerWhere(covers: (incident: Incident) => boolean): void {
    for (const [id, { incident }] of this.#incidents?.entries() ?? []) {
      if (this.#isUnfinished(incident) && covers(incident)) this.#offerOne(id as IncidentId);
    }
  }

  #offerOne(id: IncidentId): void {
    const placed = this.#incidents?.get(id);
    if (placed === undefined || !this.#owned.has(placed.partition)) return;
    for (const target of this.#targets.values()) target.offer(id);
  }

  #adoptChildren(incident: Incident): void {
    const before = this.#incidents?.get(incident.id)?.incident.children ?? [];
    for (const child of before) {
      if (incident.children.includes(child)) continue;
      this.#parents.delete(child);
      this.#offerOne(child);
    }
    for (const child of incident.children) this.#parents.set(child, incident.id);
  }

  #listedUnder(id: IncidentId): IncidentId | undefined {
    const parent = this.#parents.get(id);
    const incident = parent === undefined ? undefined : this.#incidents?.get(parent)?.incident;
    return incident === undefined || isOver(incident) ? undefined : parent;
  }

  /** What a full queue, a lost record or a target that lost a resolve left behind is found here. */
  #sweep(): void {
    this.#offerAll();
    const owned = [...(this.#incidents?.entries() ?? [])].filter(([, { partition }]) => this.#owned.has(partition));
    const ids = owned.map(([id]) => id as IncidentId);
    for (const target of this.#targets.values()) target.prove(ids);
  }

  #offerAll(): void {
    for (const name of this.#targets.keys()) this.offerDue(name);
  }

  /** Whether anything can be left to say: it is going on, or some target still holds a page or waits for one. */
  #isUnfinished(incident: Incident): boolean {
    if (!isOver(incident)) return true;
    return this.#options.config.targets.some(({ name }) => {
      const record = this.record(incident.id, name);
      return record !== undefined && (record.intent !== undefined || record.held === "open" || record.held === "maybe");
    });
  }

  /** Reads every delivery record once more, so that what an earlier owner wrote last is known. */
  async #refresh(): Promise<void> {
    const table = await openTable(this.#options.bus, TOPICS.deliveries.name, (message) => {
      const record = Delivery.safeParse(message.value);
      if (record.success) this.#learn(record.data);
      return undefined;
    });
    await table.close();
  }
}
