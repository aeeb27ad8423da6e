/**
 * For tests: a world with a set clock, a real bus in memory and real sockets, driven like a timetable: at second t this
 * happens, and then exactly this arrives.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, openEmbeddedBus } from "@culprit/bus";
import { type Action, actionKey, Delivery, type Incident, type Silence, silenceKey, TOPICS } from "@culprit/model";
import {
  createMetrics,
  type Metrics,
  type Service,
  type SettableClock,
  settableClock,
  silentLogger,
} from "@culprit/runtime";
import { notifyConfig } from "./config.ts";
import type { Notifier, NotifierContext, NotifierKind } from "./notifier.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { NOTIFY_GROUP, start } from "./service.ts";

/** Looks at the world that must find it unchanged before it counts as quiet. */
const QUIET_LOOKS = 6;

export const T0 = Date.parse("2026-03-17T02:05:00.000Z");

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A target on a real socket: keeps what arrives and answers as the test says. */
export class FakeServer {
  readonly received: Received[] = [];
  /** Answers a request; a thrown error becomes a 400 with its text. `hang` never answers, `cut` closes the connection. */
  reply: (request: Received) => Reply | "hang" | "cut" = () => ({ status: 200 });
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Goes away: from now on connections are refused. `listen` brings it back on the same port. */
  async leave(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.leave();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const json = (): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;
    const received = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body, json };
    this.received.push(received);
    const reply = this.#replyTo(received);
    if (reply === "hang") return;
    if (reply === "cut") {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, reply.headers);
    response.end(reply.body ?? "");
  }

  #replyTo(received: Received): Reply | "hang" | "cut" {
    try {
      return this.reply(received);
    } catch (error) {
      return { status: 400, body: error instanceof Error ? error.message : String(error) };
    }
  }
}

export async function fakeServer(reply?: FakeServer["reply"]): Promise<FakeServer> {
  const server = await new FakeServer().listen();
  if (reply !== undefined) server.reply = reply;
  return server;
}

export interface WorldOptions {
  readonly targets: readonly Record<string, unknown>[];
  readonly config?: Record<string, unknown>;
  readonly bus?: Bus;
  readonly clock?: SettableClock;
  readonly kinds?: readonly NotifierKind[];
}

/** A running notify service with everything around it. */
export class World {
  readonly bus: Bus;
  readonly clock: SettableClock;
  readonly metrics: Metrics = createMetrics();
  readonly written: string[] = [];
  readonly #options: WorldOptions;
  #service: Service | undefined;
  #underWay = 0;
  #moves = 0;

  private constructor(options: WorldOptions, bus: Bus) {
    this.#options = options;
    this.bus = bus;
    this.clock = options.clock ?? settableClock(T0);
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options, options.bus ?? (await openEmbeddedBus({})));
    await world.begin();
    return world;
  }

  /** Starts a service; a world may be begun again after `end`. */
  async begin(): Promise<void> {
    const kinds = this.#options.kinds ?? NOTIFIERS;
    const config = notifyConfig(kinds).parse({
      allowAddresses: ["127.0.0.1"],
      consoleUrl: "https://culprit.example",
      ...this.#options.config,
      targets: this.#options.targets,
    });
    this.#service = await start({
      bus: this.#watchedBus(),
      config,
      clock: this.clock,
      logger: silentLogger,
      metrics: this.metrics,
      random: () => 0.5,
      write: async (text) => void this.written.push(text),
      kinds: kinds.map((kind) => this.#counted(kind)),
    });
    await this.quiet();
  }

  async end(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
  }

  health(): unknown {
    return this.#service?.health();
  }

  /** Publishes a revision, and waits until everything that follows at once has happened. */
  async publish(...incidents: readonly Incident[]): Promise<void> {
    await this.bus.publish(incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));
    await this.quiet();
  }

  async act(action: Action): Promise<void> {
    await this.bus.publish([{ topic: TOPICS.actions.name, key: actionKey(action), value: action }]);
    await this.quiet();
  }

  async silence(value: Silence): Promise<void> {
    await this.bus.publish([{ topic: TOPICS.actions.name, key: silenceKey(value), value }]);
    await this.quiet();
  }

  /** Moves the clock in steps, letting what each step causes happen before the next. */
  async advance(totalMs: number, stepMs = 1_000): Promise<void> {
    for (let left = totalMs; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await this.quiet();
    }
  }

  /** Resolves once what was published is read, nothing is on its way, and nothing has moved for several looks. */
  async quiet(): Promise<void> {
    let still = 0;
    for (let seen = -1; still < QUIET_LOOKS; ) {
      await sleep(1);
      const progress = await this.bus.progress(NOTIFY_GROUP, TOPICS.incidents.name);
      const read = this.#service === undefined || progress.every(({ position, end }) => position >= end);
      still = read && this.#underWay === 0 && this.#moves === seen ? still + 1 : 0;
      seen = this.#moves;
    }
  }

  /** Every delivery record as it is stored now. */
  async deliveries(): Promise<readonly Delivery[]> {
    const held = new Map<string, Delivery>();
    const follower = await this.bus.follow({
      topic: TOPICS.deliveries.name,
      handle: ({ messages }) => {
        for (const { key, value } of messages) held.set(key, Delivery.parse(value));
      },
    });
    await follower.caughtUp;
    await follower.close();
    return [...held.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.bus.close();
  }

  async #watch<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
      this.#moves += 1;
    }
  }

  /** The bus as the service sees it: what it publishes counts as under way. */
  #watchedBus(): Bus {
    return new Proxy(this.bus, {
      get: (bus, name) => {
        if (name === "publish") return (messages: Parameters<Bus["publish"]>[0]) => this.#watch(bus.publish(messages));
        const member: unknown = Reflect.get(bus, name, bus);
        return typeof member === "function" ? member.bind(bus) : member;
      },
    });
  }

  #counted(kind: NotifierKind): NotifierKind {
    return {
      ...kind,
      open: (options: unknown, context: NotifierContext): Notifier => {
        const notifier = kind.open(options, context);
        return {
          ...notifier,
          send: (notification, signal) => this.#watch(notifier.send(notification, signal)),
        };
      },
    };
  }
}
