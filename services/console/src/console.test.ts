import { Action, deadLetter, type Incident, TOPICS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { fixture, NOW, Running } from "./test-kit.ts";

const crash = fixture("cluster-hang-9e");
const backup = fixture("dpm-vss");
const storage = fixture("storage-loss");
const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };

describe("pages", () => {
  test("the list shows what is going on, gravest first, with its cause", async () => {
    await using running = await Running.open([backup, storage, crash]);
    const { status, body } = await running.ask("/");
    expect(status).toBe(200);
    expect(body.indexOf(crash.title.slice(0, 20))).toBeLessThan(body.indexOf(backup.title.slice(0, 20)));
    expect(body).not.toContain(storage.title);
    expect(body).toContain("Non-paged pool exhausted on HV11");
    expect((await running.ask("/?view=ended")).body).toContain("Three hosts of cluster CLU3");
    expect((await running.ask("/?q=sql03")).body).not.toContain("HV11 crashed");
  });

  test("an incident's page says what, why, and what to do first, in this order", async () => {
    await using running = await Running.open([crash], { timeZone: "Europe/Oslo" });
    const { body } = await running.ask(`/incidents/${crash.id}`);
    const order = [
      "HV11 crashed",
      "17 Mar 2026, 03:00:04 Oslo",
      "Probable cause",
      "75 %",
      "Against",
      "nothing seen",
      "Do first",
      "poolmon -b, note",
      "Not the cause",
      "Other causes",
      "Timeline",
    ];
    const places = order.map((text) => body.indexOf(text));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("where two causes tie both are argued, and what would decide comes first", async () => {
    await using running = await Running.open([backup]);
    const { body } = await running.ask(`/incidents/${backup.id}`);
    expect(body).toContain("Cause not clear");
    expect(body).not.toContain("Probable cause");
    expect(body).toContain("Two causes explain it about equally well.");
    expect(body.indexOf("To learn which writers")).toBeLessThan(body.indexOf("restart COM+ Event System"));
  });

  test("a record written after the restart says so", async () => {
    await using running = await Running.open([crash]);
    expect((await running.ask(`/incidents/${crash.id}`)).body).toContain("written 3 min 37 s later");
  });

  test("B47 B23 event text is text on every page, and nothing may run inline", async () => {
    const text = "<svg onload=alert(1)>\"'</script>\u202e{{7*7}}";
    const cause = crash.causes[0];
    if (cause === undefined) throw new Error("the fixture has causes");
    const reason = { points: 20, text, events: [] };
    const bad: Incident = {
      ...crash,
      title: text,
      facts: [text],
      notCauses: [text],
      unknown: [text],
      scope: [{ kind: "host", id: text, role: text }],
      causes: [
        {
          ...cause,
          title: text,
          summary: text,
          for: [reason],
          against: [reason],
          missing: [{ text, collect: text }],
          actions: [text],
          references: [text],
        },
      ],
      timeline: crash.timeline.map((entry) => ({ ...entry, summary: text, host: text, provider: text, channel: text })),
    };
    await using running = await Running.open([bad]);
    for (const path of ["/", `/incidents/${bad.id}`]) {
      const { body, headers } = await running.ask(path);
      expect(body).not.toContain("<svg onload");
      expect(body).not.toContain("\u202e");
      expect(body).toContain("&lt;svg onload");
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      expect(body).not.toMatch(/<script(?! src="\/assets\/console\.js" defer)|<style|\sstyle=|\son[a-z]+="/);
    }
  });

  test("assets are served with their tag, and nothing else is", async () => {
    await using running = await Running.open([]);
    const { headers, status } = await running.ask("/assets/base.css");
    expect([status, headers["content-type"]]).toEqual([200, "text/css; charset=utf-8"]);
    const again = await running.ask("/assets/base.css", { headers: { "if-none-match": String(headers["etag"]) } });
    expect(again.status).toBe(304);
    for (const path of ["/assets/../server.ts", "/assets/%2e%2e/server.ts", "/assets/server.ts"]) {
      expect((await running.ask(path)).status).toBe(404);
    }
  });
});

describe("the API", () => {
  test("lists incidents as the contract has them, children left out unless asked for", async () => {
    const child = fixture("dpm-vss", { parent: crash.id });
    await using running = await Running.open([crash, child, storage]);
    const all = JSON.parse((await running.ask("/api/v1/incidents")).body);
    expect(all.total).toBe(2);
    expect(JSON.parse((await running.ask("/api/v1/incidents?children=true")).body).total).toBe(3);
    expect(
      JSON.parse((await running.ask("/api/v1/incidents?severity=critical&status=open,acknowledged")).body).incidents,
    ).toEqual([crash]);
    expect(JSON.parse((await running.ask("/api/v1/incidents?limit=1&offset=1")).body).incidents).toHaveLength(1);
    expect(JSON.parse((await running.ask(`/api/v1/incidents/${crash.id}`)).body)).toEqual(crash);
  });

  test.each([
    ["?limit=1000000000", 400],
    ["?limit=-1", 400],
    ["?limit=1e2", 400],
    ["?offset=99999999", 400],
    ["?sort=title", 400],
    ["?sort=__proto__", 400],
    ["?status=broken", 400],
    ["?surprise=1", 400],
    [`?text=${"x".repeat(201)}`, 400],
    ["/..%2f..%2fetc%2fpasswd", 404],
    [`/${"f".repeat(64)}`, 404],
    ["/__proto__", 404],
  ])("B53 %s is answered %i", async (query, status) => {
    await using running = await Running.open([crash]);
    const answer = await running.ask(`/api/v1/incidents${query}`);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).error.code).toMatch(/^console\./);
  });

  test("an action is stored durably, shown at once, and a repeat with the same key changes nothing", async () => {
    await using running = await Running.open([crash]);
    const act = (body: unknown): Promise<{ status: number; body: string }> =>
      running.ask(`/api/v1/incidents/${crash.id}/actions`, {
        method: "POST",
        headers: { ...json, "idempotency-key": "k1" },
        body: JSON.stringify(body),
      });
    const first = await act({ kind: "acknowledge", who: "ada" });
    const again = await act({ kind: "acknowledge", who: "ada" });
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(JSON.parse(again.body).id).toBe(JSON.parse(first.body).id);
    const path = `/api/v1/incidents/${crash.id}`;
    await expect.poll(async () => JSON.parse((await running.ask(path)).body).status).toBe("acknowledged");
    expect(JSON.parse((await running.ask(`${path}/actions`)).body).actions).toHaveLength(1);
    expect(Action.parse(JSON.parse(first.body))).toMatchObject({ incident: crash.id, who: "ada", at: NOW });
  });

  test.each([
    [{ kind: "explode", who: "ada" }],
    [{ kind: "note", who: "ada" }],
    [{ kind: "resolve" }],
    [{ kind: "resolve", who: "x".repeat(101) }],
    [{ kind: "resolve", who: "ada", incident: "other" }],
  ])("a wrong action %j is refused", async (body) => {
    await using running = await Running.open([crash]);
    const path = `/api/v1/incidents/${crash.id}/actions`;
    const answer = await running.ask(path, { method: "POST", headers: json, body: JSON.stringify(body) });
    expect(answer.status).toBe(400);
    const huge = {
      method: "POST",
      headers: json,
      body: JSON.stringify({ kind: "note", who: "a", note: "x".repeat(100_000) }),
    };
    expect((await running.ask(path, huge)).status).toBe(413);
  });

  test("dead letters are shown newest first, as many as asked for", async () => {
    await using running = await Running.open([]);
    const letter = (n: number): unknown =>
      deadLetter(Buffer.from(`record ${n}`), {
        stage: "ingest",
        failure: { reason: "json.broken", detail: `n ${n}` },
        at: NOW + n,
      });
    await running.bus.publish(
      [1, 2, 3].map((n) => ({ topic: TOPICS["dead-letters"].name, key: "k", value: letter(n) })),
    );
    const read = async (): Promise<{ original: string }[]> =>
      JSON.parse((await running.ask("/api/v1/dead-letters?limit=2")).body).deadLetters;
    await expect.poll(async () => (await read()).map(({ original }) => original)).toEqual(["record 3", "record 2"]);
  });

  test("probes answer, whatever name they are asked under", async () => {
    await using running = await Running.open([]);
    for (const path of ["/livez", "/readyz", "/metrics"]) {
      expect((await running.ask(path, { headers: { host: "10.1.2.3" } })).status).toBe(200);
    }
  });
});

describe("B52 who may ask", () => {
  const path = `/incidents/${crash.id}/actions`;

  test("another Host is refused: a name that points at us is not us", async () => {
    await using running = await Running.open([crash], { hostNames: ["culprit.corp"] });
    for (const host of ["evil.example", "evil.example:8080", "localhost.evil.example", "user@localhost"]) {
      expect((await running.ask("/", { headers: { host } })).status).not.toBe(200);
    }
    expect((await running.ask("/", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await running.ask("/", { headers: { host: "Culprit.corp" } })).status).toBe(200);
  });

  test.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ])("a change from elsewhere is refused: %j", async (headers) => {
    await using running = await Running.open([crash]);
    const api = {
      method: "POST",
      headers: { ...json, ...headers },
      body: JSON.stringify({ kind: "resolve", who: "eve" }),
    };
    expect((await running.ask(`/api/v1${path}`, api)).status).toBe(403);
    expect(
      (await running.ask(path, { method: "POST", headers: { ...form, ...headers }, body: "kind=resolve" })).status,
    ).toBe(403);
    expect(JSON.parse((await running.ask(`/api/v1/incidents/${crash.id}`)).body).status).toBe("open");
  });

  test("a form without its token, or with another browser's, is refused; with it, it works", async () => {
    await using running = await Running.open([crash]);
    const shown = await running.ask(`/incidents/${crash.id}`);
    const cookie = String(shown.headers["set-cookie"]).split(";")[0] ?? "";
    const token = /name="token" value="([^"]+)"/.exec(shown.body)?.[1] ?? "";
    const post = (headers: Record<string, string>, body: string) =>
      running.ask(path, { method: "POST", headers: { ...form, ...headers }, body });
    expect((await post({ cookie }, "kind=resolve")).status).toBe(403);
    expect((await post({}, `kind=resolve&token=${token}`)).status).toBe(403);
    expect(
      (await post({ cookie: "culprit-form=AAAAAAAAAAAAAAAAAAAAAAAA" }, `kind=resolve&token=${token}`)).status,
    ).toBe(403);
    const done = await post({ cookie, origin: running.service.url }, `kind=resolve&token=${token}`);
    expect([done.status, done.headers["location"]]).toEqual([303, `/incidents/${crash.id}`]);
    await expect.poll(async () => (await running.ask(`/incidents/${crash.id}`)).body).toContain("Reopen");
    expect(String(shown.headers["set-cookie"])).toMatch(/HttpOnly; SameSite=Strict/);
  });
});
