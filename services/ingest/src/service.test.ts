/** The service as a whole: durability, counting, resends, trouble below and the way it stops. */
import { connect } from "node:net";
import type { Selection } from "@culprit/formats";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { bulkBody, equation, eventXml, ONLY_7031, post, raw, run, send, winlogbeat } from "./test-kit.ts";

test("P2 accepted is events, dead letters, not selected and named drops, whatever comes in", async () => {
  await using running = await run({ selection: ONLY_7031 });
  const good = [winlogbeat(1), winlogbeat(2, { eventId: 7036 }), winlogbeat(3)];
  await post(`${running.url}/_bulk`, bulkBody([...good, '{"broken":']));
  await post(`${running.url}/_bulk`, bulkBody(good));
  await post(`${running.url}/ingest`, `${eventXml(9)}${eventXml(9)}\nno such format\n`);
  await post(`${running.url}/services/collector`, `{"event":""}{"event":${JSON.stringify(eventXml(10))}}`);
  const counts = await equation(running);
  expect(counts).toEqual({ accepted: 12, events: 4, deadLetters: 3, notSelected: 2, duplicates: 3 });
  expect(await running.events()).toHaveLength(4);
  expect(await running.letters()).toHaveLength(3);
});

test("F22 a record that is sent again is one event, and counted as a duplicate", async () => {
  await using running = await run();
  const body = bulkBody([winlogbeat(1), winlogbeat(2)]);
  await Promise.all([1, 2, 3].map(() => post(`${running.url}/_bulk`, body)));
  await post(`${running.url}/ingest`, winlogbeat(2));
  expect(await running.events()).toHaveLength(2);
  expect(await equation(running)).toMatchObject({ accepted: 7, events: 2, duplicates: 5 });
});

test("F22 how many ids are remembered is bounded, the oldest forgotten first", async () => {
  await using running = await run({ config: { recentIdsMax: 2 } });
  for (const n of [1, 2, 3, 3, 2, 1]) await post(`${running.url}/ingest`, winlogbeat(n));
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2", "3", "1"]);
});

test("F13 while the log is full every protocol is told to come back, and nothing refused counts as taken", async () => {
  let now = 1_000;
  await using running = await run({ bus: { sizeMaxBytes: 4_000_000, reserveBytes: 1_000_000, now: () => now } });
  const large = (n: number) => winlogbeat(n, { message: "m".repeat(300_000) });
  let taken = 0;
  for (let n = 0; n < 100; n += 1) {
    const { status } = await post(`${running.url}/ingest`, large(n));
    if (status !== 200) break;
    taken += 1;
  }
  expect(taken).toBeGreaterThan(2);
  const answers = await Promise.all([
    post(`${running.url}/ingest`, large(200)),
    post(`${running.url}/_bulk`, bulkBody([large(201)])),
    post(`${running.url}/services/collector`, `{"event":${large(202)}}`),
  ]);
  expect(answers.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual([
    [503, "5"],
    [503, "5"],
    [503, "5"],
  ]);
  expect(answers[1]?.body).toMatchObject({ status: 503, error: { type: "unavailable_shards_exception" } });
  expect(answers[2]?.body).toEqual({ text: "Server is busy", code: 9 });
  expect((await send(`${running.url}/readyz`)).body).toEqual({
    state: "degraded",
    reasons: ["records cannot be stored"],
  });
  expect(await running.events()).toHaveLength(taken);
  expect((await equation(running))["accepted"]).toBe(taken);

  now += 10 * 86_400_000;
  await running.bus.retain();
  expect((await post(`${running.url}/ingest`, large(200))).status).toBe(200);
  expect((await send(`${running.url}/readyz`)).body.state).toBe("ok");
});

test("F18 a log that can no longer be used fails the service, which says so and refuses", async () => {
  await using running = await run();
  await running.bus.close();
  const answer = await post(`${running.url}/ingest`, winlogbeat(1));
  expect(answer.status).toBe(500);
  expect(running.lines.filter(({ level }) => level === "error")).toMatchObject([{ error: { code: "bus.closed" } }]);
});

test("F30 a decoder that throws costs its own request no more than a dead letter, and others nothing", async () => {
  const poisoned: Selection = {
    wants(_provider, _channel, eventId) {
      if (eventId === 666) throw new TypeError("a bug");
      return true;
    },
  };
  await using running = await run({ selection: poisoned });
  const body = `${winlogbeat(1)}\n${winlogbeat(2, { eventId: 666 })}\n`;
  const first = await post(`${running.url}/ingest`, body);
  expect(first.status).toBe(200);
  expect((await post(`${running.url}/ingest`, winlogbeat(3))).body).toMatchObject({ events: 1, deadLetters: 0 });
  expect(await running.letters()).toMatchObject([{ reason: "ingest.decoder-threw", detail: "TypeError: a bug" }]);
  expect(running.lines.filter(({ level }) => level === "error")).toHaveLength(1);
});

test("F47 stopping answers what is in work, refuses what comes after, and stores the last coverage", async () => {
  await using running = await run({ selection: ONLY_7031 });
  const { port } = running.service.address;
  const record = winlogbeat(1);
  const inWork = connect(port, "127.0.0.1");
  let answer = "";
  inWork.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  inWork.write(
    `POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${record.length}\r\n\r\n${record.slice(0, 50)}`,
  );
  const idle = connect(port, "127.0.0.1");
  await expect.poll(async () => (await send(`${running.url}/livez`)).status).toBe(200);
  const stopped = running.service.stop();
  expect(running.service.health().state).toBe("stopping");
  inWork.write(record.slice(50));
  await stopped;
  await expect.poll(() => answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.toLowerCase()).toContain("connection: close");
  await expect(raw(port, "GET / HTTP/1.1\r\n\r\n")).rejects.toThrow("ECONNREFUSED");
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1"]);
  expect(await running.coverage()).toMatchObject([{ host: "hv11.contoso.com", count: 1 }]);
  inWork.destroy();
  idle.destroy();
});

test("coverage is summed up at once, then at most once a minute for each log", async () => {
  const clock = settableClock(Date.UTC(2024, 2, 1, 12));
  await using running = await run({ selection: ONLY_7031, clock });
  const minute = async (from: number) => {
    for (let n = from; n < from + 3; n += 1) await post(`${running.url}/ingest`, winlogbeat(n, { eventId: 1 }));
    await clock.advance(30_000);
    await expect.poll(() => clock.sleepers).toBe(2);
  };
  await minute(1);
  expect(await running.coverage()).toMatchObject([{ firstRecordId: 1, lastRecordId: 3, count: 3 }]);
  await minute(4);
  await minute(7);
  await minute(10);
  expect((await running.coverage()).map(({ firstRecordId, lastRecordId }) => [firstRecordId, lastRecordId])).toEqual([
    [1, 3],
    [4, 9],
  ]);
  await running.service.stop();
  expect((await running.coverage()).at(-1)).toMatchObject({ firstRecordId: 10, lastRecordId: 12 });
});

test("an address that is taken is named", async () => {
  await using running = await run();
  await expect(run({ config: { port: running.service.address.port } })).rejects.toMatchObject({
    code: "ingest.cannot-listen",
    fields: { port: running.service.address.port },
  });
});
