/** For tests: a console on a real socket over a bus in memory, with incidents of our own making. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { type EmbeddedBus, openEmbeddedBus } from "@culprit/bus";
import { Incident, TOPICS } from "@culprit/model";
import { createMetrics, type SettableClock, settableClock, silentLogger } from "@culprit/runtime";
import { ConsoleConfig } from "./config.ts";
import { type ConsoleService, start } from "./service.ts";

export const NOW = Date.parse("2026-03-17T02:12:00.000Z");

/** The incidents of the notifier's fixtures, by file. */
export function fixture(name: string, change: Partial<Incident> = {}): Incident {
  const text = readFileSync(new URL(`../../notify/fixtures/${name}.json`, import.meta.url), "utf8");
  return { ...Incident.parse(JSON.parse(text)), ...change };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export class Running {
  readonly bus: EmbeddedBus;
  readonly service: ConsoleService;
  readonly clock: SettableClock;

  /** A second console over the same log, as after a restart. */
  async another(): Promise<Running> {
    const options = { bus: this.bus, clock: this.clock, logger: silentLogger, metrics: createMetrics() };
    const service = await start({ ...options, config: ConsoleConfig.parse({ port: 0 }) });
    return new Running(this.bus, service, this.clock);
  }

  private constructor(bus: EmbeddedBus, service: ConsoleService, clock: SettableClock) {
    this.bus = bus;
    this.clock = clock;
    this.service = service;
  }

  static async open(incidents: readonly Incident[], config: Record<string, unknown> = {}): Promise<Running> {
    const bus = await openEmbeddedBus({});
    await publish(bus, incidents);
    const clock = settableClock(NOW);
    const options = { bus, clock, logger: silentLogger, metrics: createMetrics() };
    const service = await start({ ...options, config: ConsoleConfig.parse({ port: 0, ...config }) });
    return new Running(bus, service, clock);
  }

  /** `fetch` does not let a test choose its Host and Origin, so this asks by hand. */
  ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method = "GET", headers = {}, body = "" } = options;
      const asked = request(new URL(path, this.service.url), { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  publish(...incidents: readonly Incident[]): Promise<void> {
    return publish(this.bus, incidents);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.stop();
    await this.bus.close();
  }
}

function publish(bus: EmbeddedBus, incidents: readonly Incident[]): Promise<void> {
  if (incidents.length === 0) return Promise.resolve();
  return bus.publish(incidents.map((value) => ({ topic: TOPICS.incidents.name, key: value.id, value })));
}
