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
import { type Quiet, quietOf } from "./quiet.test-support.ts";
import { start } from "./service.ts";

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
  #held = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Requests that got no answer and are still waited for. */
  get held(): number {
    return this.#held;
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
    if (reply === "hang") {
      this.#held += 1;
      response.once("close", () => {
        this.#held -= 1;
      });
      return;
    }
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

/** Waits for work, and lets time pass while it is stuck: an attempt that nobody answers ends by its deadline. */
export async function passTimeUntil(
  clock: SettableClock,
  work: Promise<unknown>,
  isStuck: () => boolean,
): Promise<void> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  for (;;) {
    await Promise.race([done, sleep(5)]);
    if (isDone) return done.then(() => undefined);
    if (isStuck()) await clock.advance(clock.firstDueMs ?? 0);
  }
}

/** A running notify service with everything around it. */
export class World {
  readonly bus: Bus;
  readonly clock: SettableClock;
  readonly metrics: Metrics = createMetrics();
  readonly written: string[] = [];
  readonly #options: WorldOptions;
  #service: Service | undefined;
  readonly #quiet: Quiet;

  private constructor(options: WorldOptions, bus: Bus) {
    this.#options = options;
    this.bus = bus;
    this.#quiet = quietOf(bus);
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
      bus: this.#quiet.watch(),
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
    await this.#quiet.publish(incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));
    await this.quiet();
  }

  async act(action: Action): Promise<void> {
    await this.#quiet.publish([{ topic: TOPICS.actions.name, key: actionKey(action), value: action }]);
    await this.quiet();
  }

  async silence(value: Silence): Promise<void> {
    await this.#quiet.publish([{ topic: TOPICS.actions.name, key: silenceKey(value), value }]);
    await this.quiet();
  }

  /** Lets time pass, and what each moment causes happen before the next. */
  async advance(totalMs: number): Promise<void> {
    await this.quiet();
    const end = this.clock.elapsed() + totalMs;
    for (let left = totalMs; left > 0; left = end - this.clock.elapsed()) {
      await this.clock.advance(Math.min(left, this.clock.firstDueMs ?? left));
      await this.quiet();
    }
  }

  /** Resolves once everything that follows from what has happened has happened. */
  quiet(): Promise<void> {
    return this.#quiet.settle();
  }

  /** Every delivery record as it is stored now. */
  async deliveries(): Promise<readonly Delivery[]> {
    const held = new Map<string, Delivery>();
    const follower = await this.bus.follow({
      topic: TOPICS.deliveries.name,
      handle: ({ messages }) => {
        for (const { key, value } of messages) if (value !== null) held.set(key, Delivery.parse(value));
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

  #counted(kind: NotifierKind): NotifierKind {
    return {
      ...kind,
      open: (options: unknown, context: NotifierContext): Notifier => {
        const notifier = kind.open(options, context);
        return {
          ...notifier,
          send: (notification, signal) => this.#quiet.track(notifier.send(notification, signal)),
        };
      },
    };
  }
}
