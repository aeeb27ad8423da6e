import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "@culprit/bus";
import { ConsoleConfig, start } from "@culprit/console";
import { Incident, TOPICS } from "@culprit/model";
import { createMetrics, silentLogger, systemClock } from "@culprit/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAct } from "./act.ts";
import { runPassword } from "./password.ts";
import { runSilencePreview } from "./silence.ts";

const file = new URL("../../../../services/notify/fixtures/cluster-hang-9e.json", import.meta.url);
const incident = Incident.parse(JSON.parse(readFileSync(file, "utf8")));
const token = "a-token-of-the-console";
const bus = await openEmbeddedBus({});
let service: Awaited<ReturnType<typeof start>>;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "culprit-act-"));
  await writeFile(join(directory, "token"), `${token}\n`);
  await bus.publish([{ topic: TOPICS.incidents.name, key: incident.id, value: incident }]);
  const options = { bus, clock: systemClock, logger: silentLogger, metrics: createMetrics() };
  const config = ConsoleConfig.parse({ port: 0, tokens: [{ name: "cli", token }] });
  service = await start({ ...options, config });
});
afterAll(async () => {
  await service.stop();
  await bus.close();
  await rm(directory, { recursive: true });
});

async function said(run: (print: (text: string) => void) => Promise<number>): Promise<readonly string[]> {
  const lines: string[] = [];
  expect(await run((text) => void lines.push(text))).toBe(0);
  return lines;
}
const options = () => ({ console: service.url, tokenFile: join(directory, "token"), who: "ada" });
const short = incident.id.slice(0, 12);

test("an incident is acknowledged for a while, noted on and its cause confirmed by the beginning of its id", async () => {
  const acknowledged = await said((print) => runAct("acknowledge", short, {}, { ...options(), for: "2h" }, print));
  expect(acknowledged[0]).toMatch(new RegExp(`^acknowledged ${short} by ada until 20`));
  const noted = await said((print) => runAct("note", short, { note: "looking" }, options(), print));
  expect(noted).toEqual([`noted on ${short} by ada`]);
  const cause = incident.causes[0]?.id ?? "";
  const confirmed = await said((print) => runAct("confirm-cause", short, { cause }, options(), print));
  expect(confirmed).toEqual([`cause confirmed of ${short} by ada`]);
});

test("what the console refuses is said, and so is that it is not there", async () => {
  const quiet = (): void => {};
  const refused = runAct("unlink", short, { event: "f".repeat(64) }, options(), quiet);
  await expect(refused).rejects.toMatchObject({
    code: "console.refused",
    message: expect.stringMatching(/rest on it/),
  });
  const unknown = runAct("resolve", incident.id.slice(0, 7), {}, options(), quiet);
  await expect(unknown).rejects.toMatchObject({ code: "console.refused" });
  const nobody = runAct("resolve", short, {}, { console: service.url, who: "ada" }, quiet);
  await expect(nobody).rejects.toMatchObject({ code: "console.refused", message: expect.stringMatching(/Log in/) });
  const away = runAct("resolve", short, {}, { console: "http://127.0.0.1:1", who: "ada" }, quiet);
  await expect(away).rejects.toMatchObject({ code: "console.no-answer" });
  const odd = runAct("acknowledge", short, {}, { ...options(), for: "soon" }, quiet);
  await expect(odd).rejects.toMatchObject({ code: "act.bad-duration" });
});

test("a silence is looked at before it is added, with the same token", async () => {
  const lines = await said((print) => runSilencePreview({ ...options(), scope: ["hv11"] }, print));
  expect(lines[0]).toBe("covers 1 of what is going on now:");
});

test("a password becomes a line of the console's file, and a short one is refused", async () => {
  async function* typed(text: string): AsyncGenerator<string> {
    yield text;
  }
  const [line] = await said((print) => runPassword("ada", typed("correct horse\nmore"), print));
  expect(line).toMatch(/^ada:scrypt\$17\$8\$1\$/);
  expect(ConsoleConfig.parse({ passwords: line }).passwords?.reveal()).toBe(line);
  await expect(runPassword("ada", typed("short"), () => {})).rejects.toMatchObject({ code: "password.unfit" });
});
