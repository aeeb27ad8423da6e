import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { equation, run, sendTcp, snare } from "./test-kit.ts";

const line = (n: number): string => `<38>Mar  1 10:00:00 web1 sshd[${n}]: Accepted publickey for root`;

test("lines of other systems do not flood the dead letters: some a minute are kept, all are counted", async () => {
  const clock = settableClock(Date.UTC(2024, 2, 1));
  const config = { syslog: { tcp: { port: 0 } }, unknownLettersPerMinute: 5 };
  await using running = await run({ clock, config });
  const send = (n: number) =>
    sendTcp(running, "syslog-tcp", [...Array.from({ length: 50 }, (_, i) => line(i)), snare(n), ""].join("\n"));
  await send(1);
  expect(await equation(running)).toMatchObject({ accepted: 51, events: 1, deadLetters: 50 });
  expect((await running.letters()).map(({ reason }) => reason)).toEqual(Array(5).fill("format.unknown"));
  const leftOut = () => running.metrics.valueOf("ingest_dead_letters_left_out_total", { receiver: "syslog" });
  expect(await leftOut()).toBe(45);
  await clock.advance(60_000);
  await send(2);
  expect(await running.letters()).toHaveLength(10);
  expect(await leftOut()).toBe(90);
});

test("what is damaged, and what another sender sends, is kept as before", async () => {
  await using running = await run({ config: { syslog: { tcp: { port: 0 } }, unknownLettersPerMinute: 1 } });
  const damaged = (n: number): string =>
    `<13>Mar  1 10:00:00 n1 <Event><System><EventID>x${n}</EventID></System></Event>`;
  await sendTcp(running, "syslog-tcp", [line(1), line(2), damaged(1), damaged(2), ""].join("\n"));
  expect((await running.letters()).map(({ reason }) => reason).sort()).toEqual([
    "event.id-unreadable",
    "event.id-unreadable",
    "format.unknown",
  ]);
});
