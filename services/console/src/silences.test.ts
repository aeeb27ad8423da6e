import { HOUR_MS, isoOf, matchOfIncident, Silence } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { type Answer, fixture, NOW, Running } from "./test-kit.ts";

const crash = fixture("cluster-hang-9e");
const backup = fixture("dpm-vss");
const path = "/api/v1/silences";
const body = { match: { scope: ["hv11"] }, forMs: HOUR_MS, who: "ada", comment: "disk is changed" };

function post(running: Running, to: string, content: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const json = { "content-type": "application/json", ...headers };
  return running.ask(to, { method: "POST", headers: json, body: JSON.stringify(content) });
}
async function listed(running: Running): Promise<readonly { id: string; state: string; until: string }[]> {
  return JSON.parse((await running.ask(path)).body).silences;
}

describe("silences", () => {
  test("are added, listed with how they stand, and lifted by name", async () => {
    await using running = await Running.open([crash]);
    const added = await post(running, path, body);
    expect(added.status).toBe(201);
    const { id } = JSON.parse(added.body);
    expect(JSON.parse(added.body)).toMatchObject({ state: "active", until: isoOf(NOW + HOUR_MS), who: "ada" });
    await expect.poll(async () => (await listed(running)).map(({ state }) => state)).toEqual(["active"]);
    expect((await running.ask(`${path}/${id}`, { method: "DELETE" })).status).toBe(400);
    const lifted = await running.ask(`${path}/${id}?who=bob`, { method: "DELETE" });
    expect(JSON.parse(lifted.body)).toMatchObject({ state: "ended", lifted: { who: "bob", at: isoOf(NOW) } });
    await expect.poll(async () => (await listed(running)).map(({ state }) => state)).toEqual(["ended"]);
    expect((await running.ask(`${path}/${"0".repeat(64)}?who=bob`, { method: "DELETE" })).status).toBe(404);
  });

  test("a repeat with the same key makes no second one", async () => {
    await using running = await Running.open([]);
    const ids = [];
    for (let n = 0; n < 2; n += 1) {
      ids.push(JSON.parse((await post(running, path, body, { "idempotency-key": "k" })).body).id);
    }
    expect(ids[0]).toBe(ids[1]);
    await expect.poll(async () => (await listed(running)).length).toBe(1);
  });

  test("a preview names what is going on and would be quiet, and changes nothing", async () => {
    await using running = await Running.open([crash, backup, fixture("storage-loss")]);
    const preview = async (match: unknown): Promise<{ total: number; incidents: { id: string }[] }> =>
      JSON.parse((await post(running, `${path}/preview`, { match })).body);
    expect((await preview({ scope: ["hv11"] })).incidents.map(({ id }) => id)).toEqual([crash.id]);
    expect(await preview({ playbooks: ["*"] })).toMatchObject({ total: 2 });
    expect(await preview({ scope: ["clu3"] })).toMatchObject({ total: 0 });
    expect(await listed(running)).toEqual([]);
  });

  test.each([
    ["covers nothing in particular", { ...body, match: {} }],
    ["has no end", { ...body, forMs: undefined }],
    ["has two ends", { ...body, until: isoOf(NOW + HOUR_MS) }],
    ["is over already", { ...body, forMs: undefined, from: isoOf(0), until: isoOf(1_000) }],
    ["ends before it begins", { ...body, forMs: undefined, from: isoOf(NOW + 2), until: isoOf(NOW + 1) }],
    ["never ends", { ...body, forMs: undefined, until: "2036-03-17T02:12:00.000Z" }],
    ["is nobody's", { ...body, who: " " }],
    ["has no reason", { ...body, comment: "" }],
    ["has hours of no zone", { ...body, recurrence: { zone: "x", windows: [] } }],
    ["says more than is understood", { ...body, surprise: 1 }],
  ])("one that %s is refused", async (_, content) => {
    await using running = await Running.open([]);
    const answer = await post(running, path, content);
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, "console.bad-request"]);
  });

  test("survive a restart of the console, with their hours", async () => {
    await using running = await Running.open([]);
    const recurrence = { zone: "Europe/Oslo", windows: [{ days: ["sun"], from: "02:00", to: "04:00" }] };
    await post(running, path, { ...body, forMs: 100 * HOUR_MS, recurrence });
    await using other = await running.another();
    const [first] = JSON.parse((await other.ask(path)).body).silences;
    expect(first).toMatchObject({ state: "between", recurrence });
    expect(Silence.shape.recurrence.parse(first.recurrence)).toEqual(recurrence);
  });
});

describe("the silence of an incident", () => {
  test("covers its playbook on the machines that it hit", () => {
    expect(matchOfIncident(crash)).toEqual({ playbooks: ["cluster-hang-9e"], scope: ["hv11.contoso.com"] });
  });

  test("is not offered where it would cover more, or nothing", () => {
    expect(matchOfIncident({ ...crash, scope: [] })).toBeUndefined();
    expect(matchOfIncident({ ...crash, scope: [{ kind: "host", id: "*", role: "victim" }] })).toBeUndefined();
  });
});
