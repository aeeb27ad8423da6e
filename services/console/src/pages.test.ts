import { deadLetter, TOPICS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { type Answer, fixture, NOW, Running } from "./test-kit.ts";

const crash = fixture("cluster-hang-9e");
const hostile = "<svg onload=alert(1)>\u202e=1";

/** A browser: keeps the cookie and sends forms with the token of the page it last saw. */
class Browser {
  readonly #running: Running;
  #cookie = "";
  #token = "";

  constructor(running: Running) {
    this.#running = running;
  }

  async see(path: string): Promise<string> {
    const answer = await this.#running.ask(path, { headers: { cookie: this.#cookie } });
    const set = answer.headers["set-cookie"];
    if (set !== undefined) this.#cookie = String(set).split(";")[0] ?? "";
    this.#token = /name="token" value="([^"]+)"/.exec(answer.body)?.[1] ?? "";
    return answer.body;
  }

  send(path: string, fields: Record<string, string>): Promise<Answer> {
    const body = new URLSearchParams({ token: this.#token, ...fields }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", cookie: this.#cookie };
    return this.#running.ask(path, { method: "POST", headers, body });
  }
}

describe("silences on pages", () => {
  test("an incident is silenced for two hours with one button, says so, and the silence is lifted again", async () => {
    await using running = await Running.open([crash]);
    const browser = new Browser(running);
    expect(await browser.see(`/incidents/${crash.id}`)).toContain("Silence 2 h");
    expect((await browser.send(`/incidents/${crash.id}/silence`, {})).status).toBe(303);
    await expect
      .poll(() => browser.see(`/incidents/${crash.id}`))
      .toContain('Silenced</a> by console until <time datetime="2026-03-17T04:12:00.000Z"');
    expect(await browser.see("/")).toContain("silenced</span>");
    const page = await browser.see("/silences");
    expect(page).toContain("quiet now for 2 h");
    expect(page).toContain("hv11.contoso.com · playbook cluster-hang-9e");
    const lift = /action="(\/silences\/[0-9a-f]{64}\/lift)"/.exec(page)?.[1] ?? "";
    expect((await browser.send(lift, {})).status).toBe(303);
    await expect.poll(() => browser.see("/silences")).toContain("None: everything pages");
    expect(await browser.see(`/incidents/${crash.id}`)).toContain("Silence 2 h");
  });

  test("a maintenance window is made by a form, and what it lacks is refused", async () => {
    await using running = await Running.open([], { timeZone: "Europe/Oslo" });
    const browser = new Browser(running);
    await browser.see("/silences");
    const fields = { scope: "sql*, hv11 ", hours: "720", comment: hostile, who: "ada" };
    const hours = { "day-sat": "on", "day-sun": "on", from: "22:00", to: "04:00" };
    expect((await browser.send("/silences", { ...fields, ...hours })).status).toBe(303);
    await expect.poll(() => browser.see("/silences")).toContain("only sat, sun 22:00 to 04:00 (Europe/Oslo)");
    const page = await browser.see("/silences");
    expect(page).toContain("sql*, hv11");
    expect(page).not.toContain("<svg onload");
    expect(page).not.toContain("\u202e");
    for (const wrong of [{ scope: "" }, { hours: "" }, { hours: "x" }, { who: "" }, { comment: "" }]) {
      expect((await browser.send("/silences", { ...fields, ...wrong })).status).toBe(400);
    }
    expect((await browser.send("/silences", { ...fields, token: "bad" })).status).toBe(403);
  });

  test("what is over has nothing to silence", async () => {
    await using running = await Running.open([fixture("storage-loss")]);
    expect(await new Browser(running).see(`/incidents/${fixture("storage-loss").id}`)).not.toContain("Silence 2 h");
  });
});

test("dead letters are shown with their reasons, and their originals are text", async () => {
  await using running = await Running.open([]);
  expect((await running.ask("/dead-letters")).body).toContain("Everything that came could be read");
  const letter = deadLetter(Buffer.from(`${hostile}\n${"x".repeat(5_000)}`), {
    stage: "ingest",
    failure: { reason: "json.broken", detail: hostile },
    at: NOW,
    source: { remote: hostile },
  });
  await running.bus.publish([{ topic: TOPICS["dead-letters"].name, key: "k", value: letter }]);
  await expect.poll(async () => (await running.ask("/dead-letters")).body).toContain("json.broken");
  const { body } = await running.ask("/dead-letters");
  expect(body).not.toContain("<svg onload");
  expect(body).not.toContain("\u202e");
  expect(body).toContain("the first 2000 characters");
});

test("B49 the list as CSV takes the same query and runs no formula", async () => {
  await using running = await Running.open([{ ...crash, title: "=cmd|'/C calc'!A0" }, fixture("dpm-vss")]);
  const { status, headers, body } = await running.ask("/api/v1/incidents.csv?severity=critical");
  expect([status, headers["content-type"]]).toEqual([200, "text/csv; charset=utf-8"]);
  const [head, first, ...rest] = body.split("\r\n");
  expect(head).toMatch(/^"id","status","severity","title"/);
  expect(first).toContain(`"critical","'=cmd|'/C calc'!A0"`);
  expect(rest).toEqual([""]);
  expect((await running.ask("/api/v1/incidents.csv?surprise=1")).status).toBe(400);
});
