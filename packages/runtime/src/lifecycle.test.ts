import { EventEmitter } from "node:events";
import { Fault } from "@culprit/model";
import { expect, test } from "vitest";
import { settableClock } from "./clock.ts";
import { EXIT_FAILED, EXIT_OK, runService } from "./lifecycle.ts";
import { createLogger } from "./logger.ts";
import { HEALTHY, type Service } from "./service.ts";

function setting(stop: () => Promise<void> = async () => {}, extra: Partial<Service> = {}) {
  const events = new EventEmitter();
  const clock = settableClock(0);
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ service: "test", write: (line) => lines.push(JSON.parse(line)) });
  const service: Service = { ready: Promise.resolve(), health: () => HEALTHY, stop, ...extra };
  const code = runService({ start: async () => service, logger, clock, events, drainMs: 1_000 });
  const started = () => new Promise((resolve) => setImmediate(resolve));
  const errors = () => lines.filter(({ level }) => level === "error");
  return { events, clock, code, started, errors };
}

test("F47 the first signal drains and exits cleanly, and no listener stays behind", async () => {
  let stopped = 0;
  const { events, code, started, errors } = setting(async () => {
    stopped += 1;
  });
  await started();
  events.emit("SIGTERM");
  expect([await code, stopped, errors()]).toEqual([EXIT_OK, 1, []]);
  expect(events.eventNames()).toEqual([]);
});

test("F47 a second signal exits at once", async () => {
  const { events, code, started } = setting(() => new Promise(() => {}));
  await started();
  events.emit("SIGTERM");
  await started();
  events.emit("SIGINT");
  expect(await code).toBe(130);
});

test("F47 draining ends after its deadline with an error", async () => {
  const { events, code, started, clock, errors } = setting(() => new Promise(() => {}));
  await started();
  events.emit("SIGTERM");
  await started();
  await clock.advance(1_000);
  expect(await code).toBe(EXIT_FAILED);
  expect(errors()).toMatchObject([{ msg: "draining took too long", drainMs: 1_000 }]);
});

test.each(["unhandledRejection", "uncaughtException"])(
  "F18 an %s is logged once and the process ends with an error",
  async (event) => {
    let stopped = 0;
    const { events, code, started, errors } = setting(async () => {
      stopped += 1;
    });
    await started();
    events.emit(event, new Error("boom"));
    events.emit(event, new Error("an echo of it"));
    expect([await code, stopped]).toEqual([EXIT_FAILED, 1]);
    expect(errors()).toMatchObject([{ msg: "stopping after a failure", error: { message: "boom" } }]);
  },
);

test("F18 a service that says it has failed is drained and the process ends with its code in the log", async () => {
  const failed = Promise.resolve(new Fault("bus.disk", "the disk failed", { fields: { path: "p" } }));
  const { code, errors } = setting(async () => {}, { failed });
  expect(await code).toBe(EXIT_FAILED);
  expect(errors()).toMatchObject([{ error: { code: "bus.disk", fields: { path: "p" } } }]);
});

test("a service that cannot start is an error", async () => {
  const lines: string[] = [];
  const code = await runService({
    start: () => Promise.reject(new Fault("bus.owned", "in use by process 7")),
    logger: createLogger({ service: "test", write: (line) => lines.push(line) }),
    clock: settableClock(0),
    events: new EventEmitter(),
  });
  expect(code).toBe(EXIT_FAILED);
  expect(lines.join()).toContain("in use by process 7");
});
