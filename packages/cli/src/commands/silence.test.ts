import { openEmbeddedBus } from "@culprit/bus";
import { ConsoleConfig, start } from "@culprit/console";
import { createMetrics, silentLogger, systemClock } from "@culprit/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runRoutesTest } from "./routes.ts";
import { runSilenceAdd, runSilenceList, runSilencePreview, runSilenceRemove } from "./silence.ts";

const bus = await openEmbeddedBus({});
let service: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  const options = { bus, clock: systemClock, logger: silentLogger, metrics: createMetrics() };
  service = await start({ ...options, config: ConsoleConfig.parse({ port: 0 }) });
});
afterAll(async () => {
  await service.stop();
  await bus.close();
});

async function said(run: (print: (text: string) => void) => Promise<number>): Promise<readonly string[]> {
  const lines: string[] = [];
  expect(await run((text) => void lines.push(text))).toBe(0);
  return lines;
}
const who = { timezone: "Europe/Oslo", who: "ada", comment: "patch night" };

test("a maintenance window is added, listed and removed over the console", async () => {
  const at = { ...who, console: service.url };
  const added = await said((print) =>
    runSilenceAdd({ ...at, scope: ["hv*"], for: "90d", days: "Sat,sun", hours: "22:00-04:00" }, print),
  );
  expect(added[0]).toMatch(
    /^[0-9a-f]{12} {2}(?:active|between) until .* scope hv\* at sat,sun 22:00-04:00 Europe\/Oslo {2}\(.*; ada: patch night\)$/,
  );
  expect(added[1]).toBe("covers nothing that is going on now");
  const id = added[0]?.slice(0, 12) ?? "";
  await expect.poll(() => said((print) => runSilenceList({ console: service.url }, print))).toEqual([added[0]]);
  expect((await said((print) => runSilenceRemove(id, at, print)))[0]).toContain("ended");
  await expect
    .poll(() => said((print) => runSilenceList({ console: service.url }, print)))
    .toEqual(["no silence stands"]);
});

test("routes test counts the silences of a console", async () => {
  const at = { ...who, console: service.url };
  await said((print) => runSilenceAdd({ ...at, scope: ["sql*"], for: "1h" }, print));
  const environment = process.env;
  process.env = { ...environment, CULPRIT__NOTIFY__TARGETS: "[{ name: tty, kind: terminal }]" };
  try {
    const lines: string[] = [];
    const options = { host: "SQL03.contoso.com", console: service.url };
    await expect
      .poll(async () => {
        lines.length = 0;
        return await runRoutesTest(undefined, options, (text) => void lines.push(text));
      })
      .toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^tty {2}not told: silenced until 20/)]);
  } finally {
    process.env = environment;
  }
});

test("what the console refuses is said in its words, and what is written wrong in ours", async () => {
  const at = { ...who, console: service.url };
  const quiet = (): void => {};
  await expect(runSilencePreview(at, quiet)).rejects.toThrow(/the console refuses: match: say what to silence/);
  await expect(runSilenceAdd({ ...at, scope: ["a"], for: "soon" }, quiet)).rejects.toThrow('"soon" is no duration');
  await expect(runSilenceAdd({ ...at, scope: ["a"], for: "1h", days: "someday" }, quiet)).rejects.toThrow(/--days/);
  await expect(runSilenceAdd({ ...at, scope: ["a"], for: "1h", hours: "22-4" }, quiet)).rejects.toThrow(/--hours/);
  await expect(runSilenceRemove("ffff", at, quiet)).rejects.toThrow("no silence has an id beginning ffff");
  const away = { ...at, console: "http://127.0.0.1:9/" };
  await expect(runSilencePreview({ ...away, scope: ["a"] }, quiet)).rejects.toThrow(/no console answers/);
});
