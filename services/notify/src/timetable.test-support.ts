/**
 * For tests: a story told by a timetable. At second t this happens; between t1 and t2 exactly this arrives. Time is a set
 * clock, everything else is real: the bus, the sockets, one or several processes that can be stopped or killed.
 *
 * Source: the acceptance tests of Alertmanager (`At`, `Between`, `Want`).
 */
import { deepStrictEqual, ok } from "node:assert";
import type { Bus } from "@culprit/bus";
import { type Action, actionKey, type Incident, SECOND_MS, type Silence, silenceKey, TOPICS } from "@culprit/model";
import { createMetrics, type Service, type SettableClock, settableClock, silentLogger } from "@culprit/runtime";
import { notifyConfig } from "./config.ts";
import type { Notifier, NotifierContext, NotifierKind } from "./notifier.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { type Quiet, quietOf } from "./quiet.test-support.ts";
import { start } from "./service.ts";
import { FakeServer, passTimeUntil, type Received, type Reply, T0 } from "./test-kit.ts";

type Act = "trigger" | "update" | "resolve";

/** What a target was sent, whatever it answered. */
interface Arrival {
  /** Seconds since the story began. */
  readonly at: number;
  readonly act: Act;
  readonly key: string;
  readonly text: string;
  readonly taken: boolean;
}

/** What a target answers from some second on; `gone` refuses connections. */
export type Answer =
  | Reply
  | "hang"
  | "cut"
  | "gone"
  /** Takes the page, and kills the process that sent it before it hears so. */
  | { readonly takesAndKills: string };

interface Want {
  readonly from: number;
  readonly to: number;
  readonly act: Act;
  readonly incident: Pick<Incident, "id">;
  readonly saying: readonly string[];
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Seconds since the story began. */
export const between = (from: number, to: number): Window => ({ from, to });
export const minutes = (count: number): number => count * 60;
export const hours = (count: number): number => count * 3_600;

const TAKEN: Answer = { status: 200 };
/** What happens at a second is told within it. */
const AT_ONCE = 0.5;

/** A target on a real socket that remembers what it took, as a pager would. */
export class Pager {
  readonly name: string;
  readonly server = new FakeServer();
  readonly #rules: Readonly<Record<string, unknown>>;
  readonly #table: Timetable;
  readonly #wants: Want[] = [];
  readonly arrivals: Arrival[] = [];
  answer: Answer = TAKEN;

  constructor(name: string, rules: Readonly<Record<string, unknown>>, table: Timetable) {
    this.name = name;
    this.#rules = rules;
    this.#table = table;
    this.server.reply = (received) => this.#take(received);
  }

  get config(): Readonly<Record<string, unknown>> {
    return { name: this.name, kind: "webhook", url: `${this.server.url}/`, updateEveryMs: 0, ...this.#rules };
  }

  /** What it answers from this second on. */
  answers(at: number, answer: Answer): void {
    this.#table.at(at, async () => {
      const wasGone = this.answer === "gone";
      this.answer = answer;
      if (answer === "gone" && !wasGone) await this.server.leave();
      if (answer !== "gone" && wasGone) await this.server.listen();
    });
  }

  /** Exactly one message that is taken within these seconds; its text holds each of `saying`. */
  wants(when: number | Window, act: Act, incident: Pick<Incident, "id">, ...saying: readonly string[]): void {
    const window = typeof when === "number" ? between(when, when + AT_ONCE) : when;
    this.#wants.push({ ...window, act, incident, saying });
  }

  get taken(): readonly Arrival[] {
    return this.arrivals.filter(({ taken }) => taken);
  }

  get refused(): readonly Arrival[] {
    return this.arrivals.filter(({ taken }) => !taken);
  }

  /** The keys that a person sees open here. */
  get open(): readonly string[] {
    const open = new Set<string>();
    for (const { act, key } of this.taken) {
      if (act === "resolve") open.delete(key);
      else open.add(key);
    }
    return [...open].sort();
  }

  /** What arrived is what was wanted, no less and no more. */
  check(): void {
    const left = [...this.#wants];
    const got: string[] = [];
    const wanted: string[] = [];
    for (const arrival of this.taken) {
      const found = left.findIndex((want) => meets(arrival, want));
      const line = found === -1 ? `${arrival.at} s: ${arrival.act} ${arrival.key}` : lineOf(left[found]);
      got.push(line);
      if (found !== -1) wanted.push(line);
      if (found !== -1) left.splice(found, 1);
    }
    deepStrictEqual(got, [...wanted, ...left.map(lineOf)], `what "${this.name}" got is not what it was to get`);
    this.checkSound();
  }

  /** Whatever the story: nobody is told of an end without a beginning. */
  checkSound(): void {
    const known = new Set<string>();
    for (const { act, key } of this.taken) {
      if (act === "trigger") known.add(key);
      else ok(known.has(key), `${act} of a page that "${this.name}" never got`);
    }
  }

  #take(received: Received): Reply | "hang" | "cut" {
    const { type, data } = received.json() as { type: string; data: { key: string; text: string } };
    const answer = this.answer;
    const isReply = typeof answer === "object" && "status" in answer;
    const kills = typeof answer === "object" && "takesAndKills" in answer;
    this.arrivals.push({
      at: this.#table.seconds,
      act: type.replace("incident.", "") as Act,
      key: data.key,
      text: data.text,
      taken: kills || (isReply && answer.status < 300),
    });
    if (kills) this.#table.killNow(answer.takesAndKills);
    if (kills || answer === "gone") return "cut";
    return answer as Reply | "hang" | "cut";
  }
}

function meets({ at, act, key, text }: Arrival, want: Want): boolean {
  const isInTime = at >= want.from && at <= want.to;
  return isInTime && act === want.act && key === want.incident.id && want.saying.every((words) => text.includes(words));
}

function lineOf(want: Want | undefined): string {
  if (want === undefined) return "";
  const saying = want.saying.length === 0 ? "" : ` saying ${want.saying.join(", ")}`;
  return `${want.from} to ${want.to} s: ${want.act} ${want.incident.id}${saying}`;
}

interface Running {
  readonly service: Service;
  /** Ends what it has on its way. */
  readonly death: AbortController;
}

interface Happening {
  readonly at: number;
  readonly what: () => Promise<void> | void;
}

/** A story in the making; `run` plays it and checks every pager. */
export class Timetable {
  readonly bus: Bus;
  readonly clock: SettableClock = settableClock(T0);
  /** Every attempt to send, in order. */
  readonly attempts: { readonly process: string; readonly key: string }[] = [];
  readonly #quiet: Quiet;
  readonly #pagers: Pager[] = [];
  readonly #happenings: Happening[] = [];
  readonly #running = new Map<string, Running>();
  readonly #dying: Promise<void>[] = [];
  readonly #config: Readonly<Record<string, unknown>>;
  #hasOwnProcesses = false;

  constructor(bus: Bus, config: Readonly<Record<string, unknown>> = {}) {
    this.bus = bus;
    this.#config = config;
    this.#quiet = quietOf(bus);
    this.#quiet.held = () => this.#pagers.reduce((sum, { server }) => sum + server.held, 0);
  }

  /** Seconds since the story began. */
  get seconds(): number {
    return this.clock.elapsed() / SECOND_MS;
  }

  pager(name: string, rules: Readonly<Record<string, unknown>> = {}): Pager {
    const pager = new Pager(name, rules, this);
    this.#pagers.push(pager);
    return pager;
  }

  at(second: number, what: Happening["what"]): void {
    this.#happenings.push({ at: second, what });
  }

  publish(second: number, ...incidents: readonly Incident[]): void {
    const messages = incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value }));
    this.at(second, () => this.#quiet.publish(messages));
  }

  /** A person does something. */
  act(
    second: number,
    incident: Pick<Incident, "id">,
    kind: "acknowledge" | "resolve" | "reopen",
    until?: number,
  ): void {
    const id = `${kind}${second}`;
    const action = {
      id: Buffer.from(id.padEnd(32, " ")).toString("hex"),
      kind,
      incident: incident.id,
      at: T0 + second * SECOND_MS,
      who: "ada",
      ...(until === undefined ? {} : { until: T0 + until * SECOND_MS }),
    } as Action;
    this.at(second, () => this.#quiet.publish([{ topic: TOPICS.actions.name, key: actionKey(action), value: action }]));
  }

  silence(window: Window, more: Partial<Silence> & Pick<Silence, "match">): void {
    const { from, to } = window;
    const value: Silence = {
      kind: "silence",
      id: Buffer.from(`silence ${from}`.padEnd(32, " ")).toString("hex"),
      from: T0 + from * SECOND_MS,
      until: T0 + to * SECOND_MS,
      who: "ada",
      comment: "planned",
      at: T0,
      ...more,
    };
    this.at(from, () => this.#quiet.publish([{ topic: TOPICS.actions.name, key: silenceKey(value), value }]));
  }

  /** A process begins; the story has one called "a" from its first second unless it starts its own. */
  starts(second: number, name: string): void {
    this.#hasOwnProcesses = true;
    this.at(second, () => this.#begin(name));
  }

  /** A process is asked to end, and does. */
  stops(second: number, name: string): void {
    this.at(second, async () => {
      const running = this.#running.get(name);
      this.#running.delete(name);
      if (running !== undefined) await this.#waitFor(running.service.stop());
    });
  }

  /** A process is no more, whatever it was doing. */
  killed(second: number, name: string): void {
    this.at(second, () => this.killNow(name));
  }

  killNow(name: string): void {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.death.abort();
    this.#dying.push(running.service.stop());
  }

  /** Plays the story up to a second and checks that every pager got what it was to get. */
  async run(until: number): Promise<void> {
    await this.play(until);
    for (const pager of this.#pagers) pager.check();
  }

  /** Plays the story up to a second. */
  async play(until: number): Promise<void> {
    try {
      for (const { server } of this.#pagers) await server.listen();
      if (!this.#hasOwnProcesses) await this.#begin("a");
      for (const { at, what } of this.#happenings.toSorted((one, other) => one.at - other.at)) {
        await this.#passTo(at);
        await what();
        await this.#settle();
      }
      await this.#passTo(until);
    } finally {
      for (const { service } of this.#running.values()) this.#dying.push(service.stop());
      await this.#waitFor(Promise.all(this.#dying));
      for (const { server } of this.#pagers) await server[Symbol.asyncDispose]();
    }
  }

  async #begin(name: string): Promise<void> {
    if (this.#running.has(name)) return;
    const death = new AbortController();
    const config = notifyConfig(NOTIFIERS).parse({
      allowAddresses: ["127.0.0.1"],
      consoleUrl: "https://culprit.example",
      ...this.#config,
      targets: this.#pagers.map((pager) => pager.config),
    });
    const service = await start({
      bus: this.#quiet.watch(() => death.signal.aborted),
      config,
      clock: this.clock,
      logger: silentLogger,
      metrics: createMetrics(),
      random: () => 0.5,
      kinds: NOTIFIERS.map((kind) => this.#mortal(kind, name, death.signal)),
    });
    this.#running.set(name, { service, death });
    await this.#quiet.settle();
  }

  /** A way to reach people that is under way until it has ended, and ends with its process. */
  #mortal(kind: NotifierKind, process: string, death: AbortSignal): NotifierKind {
    return {
      ...kind,
      open: (options: unknown, context: NotifierContext): Notifier => {
        const notifier = kind.open(options, context);
        return {
          ...notifier,
          send: (notification, signal) => {
            death.throwIfAborted();
            this.attempts.push({ process, key: notification.key });
            const sending = notifier.send(notification, AbortSignal.any([signal, death]));
            return this.#quiet.track(sending);
          },
        };
      },
    };
  }

  #waitFor(work: Promise<unknown>): Promise<void> {
    return passTimeUntil(this.clock, work, () => this.#quiet.held() > 0);
  }

  /** What the dead had on their way is over before time goes on. */
  async #settle(): Promise<void> {
    await this.#quiet.settle();
    const dying = this.#dying.splice(0);
    if (dying.length === 0) return;
    await Promise.all(dying);
    await this.#quiet.settle();
  }

  /** Each moment's consequences come before the next moment. */
  async #passTo(second: number): Promise<void> {
    await this.#settle();
    const end = second * SECOND_MS;
    for (let left = end - this.clock.elapsed(); left > 0; left = end - this.clock.elapsed()) {
      await this.clock.advance(Math.min(left, this.clock.firstDueMs ?? left));
      await this.#settle();
    }
  }
}
