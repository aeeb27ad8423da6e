import { expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply } from "../test-kit.ts";
import { servicenow } from "./servicenow.ts";
import { Driver, wholeStory } from "./test-kit.ts";

const { id } = fixture("cluster-hang-9e");
const SYS_ID = "9".repeat(32);

/** The Table API over one incident that may be there. */
function api(state: { made: boolean }): (request: Received) => Reply {
  return (request) => {
    if (request.headers["authorization"] !== `Basic ${Buffer.from("bot:good").toString("base64")}`)
      return { status: 401 };
    const url = new URL(request.path, "http://x");
    if (request.method === "GET") {
      const found = state.made && url.searchParams.get("sysparm_query") === `correlation_id=${id}^active=true`;
      return { status: 200, body: JSON.stringify({ result: found ? [{ sys_id: SYS_ID }] : [] }) };
    }
    const values = Object.values(request.json());
    if (values.some((value) => typeof value !== "string" || value.length > 4_000)) return { status: 400 };
    state.made = true;
    return { status: request.method === "PATCH" ? 200 : 201, body: JSON.stringify({ result: { sys_id: SYS_ID } }) };
  };
}
const to = (url: string, more: Record<string, unknown> = {}): Driver =>
  new Driver(servicenow, { url, user: "bot", password: "good", ...more });
const asked = (server: FakeServer): readonly string[] =>
  server.received.map(({ method, path }) => `${method} ${path.split("?")[0]?.replace("/api/now/table/", "")}`);

test("an event carries the key, its additional facts as text, and severity 0 when it is over", async () => {
  await using server = await fakeServer(api({ made: false }));
  expect(await wholeStory(to(server.url))).toEqual(["ok", "ok", "ok"]);
  const sent = server.received.map((request) => request.json());
  expect(sent.map(({ severity }) => severity)).toEqual(["1", "1", "0"]);
  expect(sent[0]).toMatchObject({ message_key: id, node: "HV11", additional_info: expect.stringContaining('"link"') });
});

test("an incident is made once, changed under its id, and closed with the customer's own fields", async () => {
  await using server = await fakeServer(api({ made: false }));
  const driver = to(server.url, {
    table: "incident",
    fields: { assignment_group: "windows" },
    closeFields: { state: "7" },
  });
  expect(await wholeStory(driver)).toEqual(["ok", "ok", "ok"]);
  expect(asked(server)).toEqual([
    "GET incident",
    "POST incident",
    `PATCH incident/${SYS_ID}`,
    `PATCH incident/${SYS_ID}`,
  ]);
  expect(server.received[1]?.json()).toMatchObject({ correlation_id: id, assignment_group: "windows", urgency: "1" });
  expect(server.received[3]?.json()).toMatchObject({ state: "7" });
});

test("F25 when it is not known whether an incident was made, it is looked for before another is", async () => {
  await using server = await fakeServer(api({ made: true }));
  expect(await to(server.url, { table: "incident" }).send("trigger")).toMatchObject({ result: "ok" });
  expect(asked(server)).toEqual(["GET incident", `PATCH incident/${SYS_ID}`]);
});

test("a story that has returned gets an incident that is open, not the one that was closed", async () => {
  const state = { made: false };
  await using server = await fakeServer(api(state));
  const driver = to(server.url, { table: "incident" });
  await wholeStory(driver);
  state.made = false;
  expect(await driver.send("trigger", { reason: "returned" })).toMatchObject({ result: "ok" });
  expect(asked(server).slice(-2)).toEqual(["GET incident", "POST incident"]);
});

test("takes far too much text; a wrong password needs a person", async () => {
  await using server = await fakeServer(api({ made: false }));
  for (const table of ["em_event", "incident"]) {
    expect(await to(server.url, { table }).send("trigger", { incident: oversized() })).toMatchObject({ result: "ok" });
    expect(await to(server.url, { table, password: "bad" }).send("trigger")).toMatchObject({ result: "auth" });
  }
});
