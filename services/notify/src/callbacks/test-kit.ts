/** For tests: notify with its port for links and callbacks on a real socket, a fake target, and calls signed as theirs are. */
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type EmbeddedBus, openEmbeddedBus } from "@culprit/bus";
import { Action, type Incident, Silence, TOPICS } from "@culprit/model";
import { createMetrics, type Metrics, type SettableClock, settableClock, silentLogger } from "@culprit/runtime";
import { NotifyConfig } from "../config.ts";
import { type NotifyService, start } from "../service.ts";
import { type FakeServer, fakeServer, T0 } from "../test-kit.ts";

export const LINK_KEY = "l".repeat(32);
export const PAGERDUTY_SECRET = "p".repeat(20);
export const SLACK_SECRET = "s".repeat(20);
export const TELEGRAM_TOKEN = "t".repeat(20);

const CALLBACKS = {
  port: 0,
  links: { url: "https://reply.example/culprit", key: LINK_KEY },
  pagerduty: { secret: PAGERDUTY_SECRET },
  slack: { signingSecret: SLACK_SECRET },
  telegram: { secretToken: TELEGRAM_TOKEN },
};

export class Office implements AsyncDisposable {
  readonly bus: EmbeddedBus;
  readonly target: FakeServer;
  readonly clock: SettableClock = settableClock(T0);
  readonly metrics: Metrics = createMetrics();
  #service: NotifyService | undefined;

  private constructor(bus: EmbeddedBus, target: FakeServer) {
    this.bus = bus;
    this.target = target;
  }

  static async open(options: {
    readonly targets: (url: string) => readonly Record<string, unknown>[];
    readonly callbacks?: Record<string, unknown>;
    readonly incidents: readonly Incident[];
    readonly reply?: FakeServer["reply"];
  }): Promise<Office> {
    const office = new Office(await openEmbeddedBus({}), await fakeServer(options.reply));
    await office.publish(...options.incidents);
    const callbacks = Object.entries({ ...CALLBACKS, ...options.callbacks }).filter(([, given]) => given !== undefined);
    const config = NotifyConfig.parse({
      allowAddresses: ["127.0.0.1"],
      consoleUrl: "https://culprit.example",
      targets: options.targets(office.target.url),
      callbacks: Object.fromEntries(callbacks),
    });
    const { bus, clock, metrics } = office;
    office.#service = await start({ bus, clock, metrics, config, logger: silentLogger, random: () => 0.5 });
    return office;
  }

  get url(): string {
    return this.#service?.callbacksUrl ?? "";
  }

  publish(...incidents: readonly Incident[]): Promise<void> {
    return this.bus.publish(incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));
  }

  /** What the topic `actions` holds. */
  async acts(): Promise<readonly (Action | Silence)[]> {
    const held = new Map<string, Action | Silence>();
    const follower = await this.bus.follow({
      topic: TOPICS.actions.name,
      handle: ({ messages }) => {
        for (const { key, value } of messages) {
          const silence = Silence.safeParse(value);
          held.set(key, silence.success ? silence.data : Action.parse(value));
        }
      },
    });
    await follower.caughtUp;
    await follower.close();
    return [...held.values()];
  }

  /** The newest request that the target got, once there are so many. */
  async told(count: number): Promise<Record<string, unknown>> {
    while (this.target.received.length < count) await sleep(2);
    return this.target.received.at(-1)?.json() ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.stop();
    await this.bus.close();
    await this.target[Symbol.asyncDispose]();
  }
}

export function hmac(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex");
}
