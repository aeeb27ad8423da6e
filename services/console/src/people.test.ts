import { type Action, HOUR_MS, type Incident, MINUTE_MS, type SourceReport, sourceKey, TOPICS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture, NOW, Running } from "./test-kit.ts";

const crash = fixture("cluster-hang-9e");
const path = `/incidents/${crash.id}`;
const entry = crash.timeline[0];
const event = entry?.event ?? "";
const cause = crash.causes[1];
if (entry === undefined || cause === undefined) throw new RangeError("the fixture has events and causes");

const json = { "content-type": "application/json" };
const act = (running: Running, body: unknown) =>
  running.ask(`/api/v1${path}/actions`, { method: "POST", headers: json, body: JSON.stringify(body) });

/** Sends a form of the page with its token. */
async function press(running: Running, fields: Record<string, string>): Promise<number> {
  const shown = await running.ask(path);
  const cookie = String(shown.headers["set-cookie"]).split(";")[0] ?? "";
  const token = /name="token" value="([^"]+)"/.exec(shown.body)?.[1] ?? "";
  const headers = { "content-type": "application/x-www-form-urlencoded", cookie };
  const body = new URLSearchParams({ token, ...fields }).toString();
  return (await running.ask(`${path}/actions`, { method: "POST", headers, body })).status;
}
const pageOf = async (running: Running): Promise<string> => (await running.ask(path)).body;
const standingOf = async (running: Running): Promise<Record<string, unknown>> =>
  JSON.parse((await running.ask(`/api/v1${path}/standing`)).body);

describe("what people do on the page of an incident", () => {
  test("an acknowledgement holds as long as was chosen, says for how long, and is open again then", async () => {
    await using running = await Running.open([crash]);
    expect(await press(running, { kind: "acknowledge", hours: "0.5", who: "ada" })).toBe(303);
    await expect.poll(() => pageOf(running)).toContain("ada is on it for another 30 min");
    expect(await standingOf(running)).toMatchObject({
      status: "acknowledged",
      acknowledgedUntil: new Date(NOW + 30 * MINUTE_MS).toISOString(),
    });
    await running.clock.advance(30 * MINUTE_MS);
    expect(await standingOf(running)).toMatchObject({ status: "open" });
    expect(await pageOf(running)).not.toContain("is on it");
  });

  test("a cause is confirmed, shown as such, told by the API, and taken back", async () => {
    await using running = await Running.open([crash]);
    await press(running, { kind: "confirm-cause", cause: cause.id, who: "ada" });
    await expect.poll(() => pageOf(running)).toContain("Confirmed by ada");
    expect(await standingOf(running)).toMatchObject({ confirmedCause: { cause: cause.id, who: "ada" } });
    await press(running, { kind: "confirm-cause", cause: "unknown" });
    await expect.poll(() => pageOf(running)).not.toContain("Confirmed by ada");
    expect(await pageOf(running)).toContain("confirmed the cause: taken back");
  });

  test("an event is taken out, stays readable by what it said, and is put back", async () => {
    await using running = await Running.open([crash]);
    await press(running, { kind: "unlink", event, who: "ada" });
    await expect.poll(() => pageOf(running)).toContain("Taken out by people");
    expect(await pageOf(running)).toContain(`${entry.provider} ${entry.eventId} on ${entry.host}`);
    expect((await standingOf(running))["unlinked"]).toEqual([event]);
    await press(running, { kind: "relink", event });
    await expect.poll(() => pageOf(running)).not.toContain("Taken out by people");
  });

  test("what does not fit the incident is refused: another's cause, another's event, what nobody took out", async () => {
    await using running = await Running.open([crash]);
    for (const body of [
      { kind: "confirm-cause", cause: "no-such-cause" },
      { kind: "confirm-cause", cause: "__proto__" },
      { kind: "confirm-cause" },
      { kind: "unlink", event: "f".repeat(64) },
      { kind: "unlink", event: "x" },
      { kind: "relink", event },
      { kind: "resolve", forMs: HOUR_MS },
      { kind: "acknowledge", forMs: 1 },
    ]) {
      const answer = await act(running, { who: "ada", ...body });
      expect([body, answer.status]).toEqual([body, 400]);
    }
    expect(await press(running, { kind: "unlink", event: "f".repeat(64) })).toBe(400);
    expect(JSON.parse((await running.ask(`/api/v1${path}/actions`)).body).actions).toEqual([]);
  });

  test("everything done is listed with who, when and from where, however hostile the words", async () => {
    await using running = await Running.open([crash]);
    await act(running, { kind: "note", who: "<b>eve</b>", note: "<img src=x onerror=alert(1)>\u202e" });
    await expect.poll(() => pageOf(running)).toContain("&lt;b>eve");
    const body = await pageOf(running);
    expect(body).toContain("by the API · 127.0.0.1");
    expect(body).not.toContain("<img src=x");
    expect(body).not.toContain("\u202e");
  });

  test("a repeat with the same key is the same action with its first time", async () => {
    await using running = await Running.open([crash]);
    const headers = { ...json, "idempotency-key": "once" };
    const options = { method: "POST", headers, body: JSON.stringify({ kind: "resolve", who: "ada" }) };
    const first = await running.ask(`/api/v1${path}/actions`, options);
    await expect.poll(async () => (await standingOf(running))["status"]).toBe("resolved");
    await running.clock.advance(HOUR_MS);
    const again = await running.ask(`/api/v1${path}/actions`, options);
    expect(JSON.parse(again.body)).toEqual(JSON.parse(first.body));
  });
});

test("an incident that returns says how often, when and what it was the last time", async () => {
  const before: Incident = {
    ...crash,
    id: "9".repeat(64) as Incident["id"],
    startedAt: "2026-03-02T02:00:00.000Z",
    status: "closed",
  };
  const again: Incident = { ...crash, previous: before.id };
  await using running = await Running.open([before, again]);
  const confirm: Action = {
    kind: "confirm-cause",
    id: "1".repeat(64),
    incident: before.id,
    at: NOW,
    who: "ada",
    cause: cause.id,
  };
  await running.bus.publish([{ topic: TOPICS.actions.name, key: `${before.id}/${confirm.id}`, value: confirm }]);
  const line = `2nd time in 30 days; last time on 2 Mar, last cause confirmed: ${cause.title}`;
  await expect.poll(() => pageOf(running)).toContain(line);
  expect(await pageOf(running)).toContain(`href="/incidents/${before.id}"`);
  expect(await standingOf(running)).toMatchObject({ recurrence: { times: 2, last: before.id } });
});

describe("who sends", () => {
  const report = (change: Partial<SourceReport> = {}): SourceReport => ({
    id: "a".repeat(64),
    instance: "ingest-1",
    receiver: "bulk",
    remote: "192.0.2.7",
    token: "winlogbeat",
    transport: "http",
    agent: "<script>Winlogbeat</script>",
    firstAt: NOW - 3 * HOUR_MS,
    lastAt: NOW - 10_000,
    silentAfterMs: 15 * MINUTE_MS,
    deliveries: 3,
    events: 1_000,
    duplicates: 1,
    notSelected: 20,
    deadLetters: 0,
    dropped: 0,
    formats: [{ format: "winlogbeat", events: 1_000 }],
    hosts: 4,
    ...change,
  });
  const open = async (...reports: readonly SourceReport[]): Promise<Running> => {
    const running = await Running.open([]);
    await running.bus.publish(reports.map((value) => ({ topic: TOPICS.sources.name, key: sourceKey(value), value })));
    return running;
  };
  const read = async (running: Running): Promise<Record<string, unknown>[]> =>
    JSON.parse((await running.ask("/api/v1/sources")).body).sources;

  test("is added up over the processes that heard it, and silent only when none has", async () => {
    const other = report({ instance: "ingest-2", events: 500, lastAt: NOW - HOUR_MS, formats: [] });
    await using running = await open(report(), other);
    await expect.poll(() => read(running)).toMatchObject([{ events: 1_500, instances: ["ingest-1", "ingest-2"] }]);
    expect(await read(running)).toMatchObject([{ state: "heard", silentMs: 10_000, receiver: "bulk" }]);
    await running.clock.advance(16 * MINUTE_MS);
    expect(await read(running)).toMatchObject([{ state: "silent" }]);
  });

  test("is shown with the silent first, what is odd about each, and nothing of theirs as markup", async () => {
    const silent = report({ id: "b".repeat(64), remote: "192.0.2.9", lastAt: NOW - 2 * HOUR_MS });
    const late = report({ id: "c".repeat(64), remote: "192.0.2.8", lateMs: HOUR_MS, deadLetters: 12_345 });
    await using running = await open(report(), late, silent);
    await expect.poll(() => read(running)).toHaveLength(3);
    const { body } = await running.ask("/sources");
    expect(body.indexOf("192.0.2.9")).toBeLessThan(body.indexOf("192.0.2.7"));
    for (const text of ["3 known, 1 silent.", "silent for 2 h", "1 h late", "12\u202f345 could not be read"]) {
      expect(body).toContain(text);
    }
    expect(body).not.toContain("<script>Winlogbeat");
  });

  test("is forgotten after thirty days of silence", async () => {
    await using running = await open(report(), report({ id: "b".repeat(64), lastAt: NOW - 30 * 24 * HOUR_MS }));
    await expect.poll(() => read(running)).toHaveLength(2);
    await running.clock.advance(HOUR_MS);
    await expect.poll(() => read(running)).toMatchObject([{ state: "silent", remote: "192.0.2.7" }]);
  });

  test("an empty console says how to begin", async () => {
    await using running = await Running.open([]);
    expect((await running.ask("/sources")).body).toContain("Nothing has been sent yet");
  });
});

test("the form of a silence shows what it would cover before it is added, and keeps what was typed", async () => {
  await using running = await Running.open([crash]);
  const shown = await running.ask("/silences");
  const cookie = String(shown.headers["set-cookie"]).split(";")[0] ?? "";
  const token = /name="token" value="([^"]+)"/.exec(shown.body)?.[1] ?? "";
  const headers = { "content-type": "application/x-www-form-urlencoded", cookie };
  const preview = async (fields: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ token, hours: "8", ...fields }).toString();
    return (await running.ask("/silences/preview", { method: "POST", headers, body })).body;
  };
  const page = await preview({ scope: "hv11", comment: 'patch "day"', "day-sat": "on", from: "22:00", to: "04:00" });
  for (const text of ["It would keep 1 of what is going on now quiet", 'value="hv11"', "patch &quot;day&quot;"]) {
    expect(page).toContain(text);
  }
  expect(page).toMatch(/<option value="8" selected/);
  expect(page).toMatch(/name="day-sat" checked/);
  expect(await preview({ scope: "sql99" })).toContain("would cover nothing");
  expect(await preview({})).toContain("say what to silence");
  expect(JSON.parse((await running.ask("/api/v1/silences")).body).silences).toEqual([]);
});
