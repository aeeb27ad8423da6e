/**
 * The shell under one seeded scheduler: the real correlate and notify services, two processes of each, over a log, a disk, a
 * clock and a pager that are made up. At every step the seed decides what happens next; whatever it is, the promises hold.
 */
import { setImmediate as turn } from "node:timers/promises";
import { start as startCorrelate } from "@culprit/correlate";
import { createOffline, createRuleMatcher } from "@culprit/correlator";
import { type EpochMs, Incident, TOPICS, type WindowsEvent } from "@culprit/model";
import { type NotifierKind, start as startNotify } from "@culprit/notify";
import type { Knowledge } from "@culprit/rules";
import { createMetrics, type SettableClock, settableClock, silentLogger } from "@culprit/runtime";
import { z } from "zod";
import { notifyConfig } from "../../services/notify/src/config.ts";
import { essence } from "../essence.test-support.ts";
import { type Random, seededRandom } from "./random.ts";
import { Groups, type Mutation, SimBus, type World } from "./sim-bus.ts";
import { SimLog } from "./sim-log.ts";
import { arrivalOf, FACTS, START, story } from "./story.ts";

const STEPS = 700;
const ROLES = ["correlate", "correlate", "notify", "notify"] as const;
const SECOND_MS = 1_000;
/** The calm at the end lasts until nothing of the stories is unsettled. */
const CALM_MINUTES = 400;
/** Far more than a story needs to come to rest. */
const ROUNDS_MAX = 2_000;

export interface Told {
  readonly key: string;
  readonly action: string;
  readonly incident: Incident;
}

export interface Result {
  /** Promises that were broken; none is how it should be. */
  readonly broken: readonly string[];
  /** What happened, for whoever has to find out why. */
  readonly script: readonly string[];
}

/** Plays one seed. */
export async function simulate(seed: number, knowledge: Knowledge, mutation?: Mutation): Promise<Result> {
  const play = new Play(seed, knowledge, mutation);
  try {
    await play.storm();
    await play.calm();
    return { broken: play.brokenPromises(), script: play.script };
  } catch (error) {
    return {
      broken: [`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
      script: play.script,
    };
  }
}

interface Process {
  readonly role: (typeof ROLES)[number];
  readonly bus: SimBus;
}

class Play implements World {
  readonly log = new SimLog();
  readonly random: Random;
  readonly mutation: Mutation | undefined;
  readonly script: string[] = [];
  readonly #knowledge: Knowledge;
  readonly #clock: SettableClock = settableClock(START + 20 * 60_000);
  readonly #groups = new Groups(this);
  readonly #toSend: WindowsEvent[];
  readonly #acknowledged: WindowsEvent[] = [];
  readonly #told: Told[] = [];
  #processes: Process[] = [];
  #started = 0;
  #pagerIsDown = false;
  isCalm = false;

  constructor(seed: number, knowledge: Knowledge, mutation: Mutation | undefined) {
    this.random = seededRandom(seed);
    this.#knowledge = knowledge;
    this.mutation = mutation;
    this.#toSend = [...story()];
  }

  now(): EpochMs {
    return this.#clock.now();
  }

  note(what: string): void {
    this.script.push(`${((this.now() - START) / SECOND_MS).toFixed(0)} s: ${what}`);
  }

  /** Everything goes wrong that may. */
  async storm(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      await this.#startMissing();
      await this.#oneStep();
      await quiet();
    }
  }

  /** Nothing goes wrong any more, and all that was begun comes to its end. */
  async calm(): Promise<void> {
    this.isCalm = true;
    this.#pagerIsDown = false;
    this.note("calm");
    for (const { bus } of this.#processes) await this.#resume(bus);
    while (this.#toSend.length > 0) await this.#send();
    for (let minute = 0; minute < CALM_MINUTES; minute += 1) {
      await this.#startMissing();
      await this.#readAll();
      await this.#clock.advance(minute < 10 ? 5 * SECOND_MS : 60 * SECOND_MS);
      await quiet();
    }
    await this.#readAll();
  }

  async #readAll(): Promise<void> {
    for (let work = this.#work(), round = 0; work.length > 0; work = this.#work(), round += 1) {
      if (round === ROUNDS_MAX) throw new Error("what the stages tell each other never ends");
      for (const read of work) await read();
      await quiet();
    }
  }

  #work(): (() => Promise<void>)[] {
    return [...this.#groups.waiting(), ...this.#processes.flatMap(({ bus }) => bus.following())];
  }

  async #oneStep(): Promise<void> {
    const { random } = this;
    const work = this.#work();
    const dice = random.next();
    if (dice < 0.6 && work.length > 0) await work[random.below(work.length)]?.();
    else if (dice < 0.75) await this.#send();
    else if (dice < 0.93) await this.#clock.advance(random.below(4 * SECOND_MS));
    else if (dice < 0.95) await this.#stopOrResume();
    else if (dice < 0.96) this.#processes[random.below(this.#processes.length)]?.bus.die();
    else if (dice < 0.965) this.#losePower();
    else if (dice < 0.975) {
      this.#pagerIsDown = !this.#pagerIsDown;
      this.note(`the pager is ${this.#pagerIsDown ? "down" : "up"}`);
    } else await this.#groups.balance();
  }

  /** Brings one record in; a sender that gets no answer brings it again. */
  async #send(): Promise<void> {
    const event = this.#toSend.shift();
    if (event === undefined) return;
    const refused = !this.isCalm && this.random.chance(0.1);
    const answerIsLost = !this.isCalm && this.random.chance(0.2);
    if (!refused) {
      const sender = new SimBus("sender", { ...this.#calmWorld() }, this.#groups);
      await sender.publish([{ topic: TOPICS.events.name, key: event.host, value: arrivalOf(event, this.now()) }]);
    }
    if (refused || answerIsLost) this.#toSend.unshift(event);
    else this.#acknowledged.push(event);
  }

  /** The sender is no process of ours: it does not die, but its records are on the same disk. */
  #calmWorld(): World {
    const { log, random, mutation } = this;
    return { log, random, mutation, isCalm: true, now: () => this.now(), note: () => {} };
  }

  async #stopOrResume(): Promise<void> {
    const process = this.#processes[this.random.below(this.#processes.length)];
    if (process === undefined) return;
    if (process.bus.isStopped) return this.#resume(process.bus);
    this.note(`${process.bus.name} is stopped`);
    process.bus.isStopped = true;
    await this.#groups.balance();
  }

  async #resume(bus: SimBus): Promise<void> {
    if (bus.isStopped) this.note(`${bus.name} goes on`);
    bus.isStopped = false;
    await this.#groups.wake(bus);
  }

  #losePower(): void {
    this.note("the power is lost");
    for (const { bus } of this.#processes) bus.die();
    this.log.losePower();
  }

  async #startMissing(): Promise<void> {
    this.#processes = this.#processes.filter(({ bus }) => !bus.isDead);
    for (const role of ["correlate", "notify"] as const) {
      const wanted = ROLES.filter((one) => one === role).length;
      for (let n = this.#processes.filter((one) => one.role === role).length; n < wanted; n += 1) {
        this.#started += 1;
        const bus = new SimBus(`${role}-${this.#started}`, this, this.#groups);
        this.#processes.push({ role, bus });
        this.note(`${bus.name} starts`);
        await bus.whileAlive(this.#start(role, bus));
      }
    }
    await this.#groups.balance();
  }

  async #start(role: Process["role"], bus: SimBus): Promise<void> {
    const parts = { bus, clock: this.#clock, logger: silentLogger, metrics: createMetrics() };
    if (role === "correlate") await startCorrelate({ ...parts, knowledge: this.#knowledge, facts: FACTS });
    else {
      const kinds = [this.#pager(bus)];
      const config = notifyConfig(kinds).parse({ targets: [{ name: "pager", kind: "pager", rate: RATE }] });
      await startNotify({ ...parts, config, kinds, random: () => this.random.next() });
    }
  }

  /** A pager that sometimes takes a page and does not get its answer through. */
  #pager(bus: SimBus): NotifierKind {
    return {
      kind: "pager",
      options: z.object({}),
      open: () => ({
        send: async ({ key, action, incident }) => {
          if (bus.isDead) return new Promise(() => {});
          await turn();
          if (this.#pagerIsDown) return { result: "later", detail: "down", uncertain: false };
          this.#told.push({ key, action, incident });
          this.note(`${bus.name} tells: ${action} ${incident.playbook} ${key.slice(0, 6)}`);
          if (!this.isCalm && this.random.chance(0.1)) bus.die();
          if (bus.isDead) return new Promise(() => {});
          if (!this.isCalm && this.random.chance(0.1)) return { result: "later", detail: "no answer", uncertain: true };
          return { result: "ok", certainty: "accepted" };
        },
      }),
    };
  }

  brokenPromises(): string[] {
    return [...this.#lostRecords(), ...this.#badRevisions(), ...this.#otherIncidents(), ...this.#badPages()];
  }

  #stored(topic: string): { readonly key: string; readonly value: unknown }[] {
    return Array.from({ length: this.log.partitionsOf(topic) }, (_, n) => this.log.messages(topic, n)).flat();
  }

  /** P1: what was acknowledged is there. */
  #lostRecords(): string[] {
    const stored = new Set(
      this.#stored(TOPICS.events.name).map(({ value }) => (value as { event: WindowsEvent }).event.recordId),
    );
    return this.#acknowledged
      .filter(({ recordId }) => !stored.has(recordId))
      .map(({ recordId }) => `record ${recordId} was acknowledged and is lost`);
  }

  /** P4: each revision is there once, after those before it. */
  #badRevisions(): string[] {
    const last = new Map<string, Incident>();
    return this.#stored(TOPICS.incidents.name).flatMap(({ key, value }) => {
      const incident = Incident.parse(value);
      const before = last.get(key);
      last.set(key, incident);
      // Of several that one moment made, the last is told; the numbers between are left out.
      if (incident.revision <= (before?.revision ?? 0))
        return [`${incident.playbook} ${key.slice(0, 6)}: revision ${incident.revision} after ${before?.revision}`];
      if (before !== undefined && incident.updatedAt < before.updatedAt)
        return [`${incident.playbook} ${key.slice(0, 6)}: revision ${incident.revision} is older than the one before`];
      return [];
    });
  }

  #incidents(): readonly Incident[] {
    return [
      ...new Map(this.#stored(TOPICS.incidents.name).map(({ key, value }) => [key, Incident.parse(value)])).values(),
    ];
  }

  /** P2, P3: the incidents are those of a run in which nothing went wrong. */
  #otherIncidents(): string[] {
    const { program, tables } = this.#knowledge;
    const chain = createOffline({ program, tables, facts: FACTS, matcher: createRuleMatcher(this.#knowledge) });
    for (const event of story()) chain.event(event, event.timeCreated);
    const wanted = told(chain.finish());
    const got = told(this.#incidents());
    return wanted === got ? [] : [`the incidents differ\n  wanted ${wanted}\n  got    ${got}`];
  }

  /** P5: on-call was told of what stands, always under the same key, and of its end. */
  #badPages(): string[] {
    const broken: string[] = [];
    const open = new Set<string>();
    // A page that turned out to be part of a wider outage goes on under its key as the page of that.
    const keys = new Map<string, string>();
    for (const { key, action, incident } of this.#told) {
      const name = `${incident.playbook} ${incident.id.slice(0, 6)}`;
      const known = keys.get(incident.id) ?? key;
      if (known !== key) broken.push(`${name} under the keys ${known.slice(0, 6)} and ${key.slice(0, 6)}`);
      keys.set(incident.id, key);
      if (action === "resolve") open.delete(key);
      else open.add(key);
    }
    const standing = new Set<string | undefined>();
    for (const incident of this.#incidents()) {
      const { status, parent, severity, id, playbook } = incident;
      if (status === "resolved" || status === "closed" || parent !== undefined || severity === "info") continue;
      const key = keys.get(id);
      standing.add(key);
      if (key === undefined || !open.has(key)) broken.push(`${playbook} ${id.slice(0, 6)} stands and no page is open`);
    }
    for (const key of open) if (!standing.has(key)) broken.push(`the page ${key.slice(0, 6)} stays open over nothing`);
    return broken;
  }
}

const RATE = { perMinute: 1_000, burst: 100 };

/** What must be the same in the end; an incident of a running log also ends by itself. */
function told(incidents: readonly Incident[]): string {
  const kept = essence(incidents) as Record<string, unknown>[];
  return JSON.stringify(
    kept.map(({ playbook, startedAt, scope, verdict, causes }) => ({ playbook, startedAt, scope, verdict, causes })),
  );
}

/** What follows from a step follows before the next one. */
async function quiet(): Promise<void> {
  for (let n = 0; n < 6; n += 1) await turn();
}
