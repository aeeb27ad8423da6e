import { describe, expect, test } from "vitest";
import { fixture, oversized } from "../fixtures.ts";
import { type FakeServer, fakeServer, type Received, type Reply } from "../test-kit.ts";
import { jira } from "./jira.ts";
import { Driver, wholeStory } from "./test-kit.ts";

const { id } = fixture("cluster-hang-9e");

/** A Jira with at most one issue of ours. */
function api(state: { made: boolean; done?: boolean }): (request: Received) => Reply {
  return (request) => {
    const [, , , version, ...rest] = request.path.split("/");
    const path = rest.join("/");
    if (!/^(?:Basic|Bearer) /.test(request.headers["authorization"] ?? "")) return { status: 401 };
    if (path === (version === "3" ? "search/jql" : "search")) {
      const { jql } = request.json() as { jql: string };
      if (jql.includes("statusCategory != Done") && state.done === true) {
        return { status: 200, body: JSON.stringify({ issues: [] }) };
      }
      const found = state.made && jql.includes(`labels = "culprit-${id}"`);
      return { status: 200, body: JSON.stringify({ issues: found ? [{ key: "OPS-7" }] : [] }) };
    }
    if (path === "issue/OPS-7/transitions" && request.method === "GET") {
      return { status: 200, body: JSON.stringify({ transitions: [{ id: "31", name: "Done" }] }) };
    }
    if (path === "issue") {
      const { fields } = request.json() as { fields: { summary: string; description: unknown } };
      if (fields.summary.length > 255 || textOf(fields.description, version).length > 32_767) return { status: 400 };
      state.made = true;
      return { status: 201, body: JSON.stringify({ key: "OPS-7" }) };
    }
    return { status: path.startsWith("issue/OPS-7") ? 204 : 404 };
  };
}

/** A text, plain in v2 and a document in v3. */
function textOf(value: unknown, version: string | undefined): string {
  if (version === "2") return String(value);
  const { type, content } = value as { type: string; content: { content: { text: string }[] }[] };
  return type === "doc"
    ? content.flatMap((block) => block.content.map(({ text }) => text)).join("")
    : "x".repeat(40_000);
}

const to = (url: string, more: Record<string, unknown> = {}): Driver =>
  new Driver(jira, { url, user: "bot@corp", password: "t", project: "OPS", doneTransition: "done", ...more });
const asked = (server: FakeServer): readonly string[] =>
  server.received.map(({ method, path }) => `${method} ${path.replace("/rest/api/", "")}`);

describe.each([
  ["cloud", "3", "search/jql"],
  ["data-center", "2", "search"],
])("Jira %s", (edition, version, search) => {
  test("makes one issue, comments what changes, and ends it by the transition's name", async () => {
    await using server = await fakeServer(api({ made: false }));
    expect(await wholeStory(to(server.url, { edition }))).toEqual(["ok", "ok", "ok"]);
    expect(asked(server)).toEqual([
      `POST ${version}/${search}`,
      `POST ${version}/issue`,
      `PUT ${version}/issue/OPS-7`,
      `POST ${version}/issue/OPS-7/comment`,
      `PUT ${version}/issue/OPS-7`,
      `POST ${version}/issue/OPS-7/comment`,
      `GET ${version}/issue/OPS-7/transitions`,
      `POST ${version}/issue/OPS-7/transitions`,
    ]);
    expect(server.received.at(-1)?.json()).toEqual({ transition: { id: "31" } });
  });

  test("F25 when it is not known whether an issue was made, it is looked for before another is", async () => {
    await using server = await fakeServer(api({ made: true }));
    expect(await to(server.url, { edition }).send("trigger")).toMatchObject({
      result: "ok",
      remote: { issue: "OPS-7" },
    });
    expect(asked(server)).not.toContain(`POST ${version}/issue`);
  });

  test("a story that has returned gets an issue of its own, not the one that is done", async () => {
    const state = { made: false, done: false };
    await using server = await fakeServer(api(state));
    const driver = to(server.url, { edition });
    await wholeStory(driver);
    state.done = true;
    expect(await driver.send("trigger", { reason: "returned" })).toMatchObject({ result: "ok" });
    expect(asked(server).slice(-2)).toEqual([`POST ${version}/${search}`, `POST ${version}/issue`]);
  });

  test("takes far too much text; without a login it needs a person", async () => {
    await using server = await fakeServer(api({ made: false }));
    expect(await to(server.url, { edition }).send("trigger", { incident: oversized() })).toMatchObject({
      result: "ok",
    });
    expect(await new Driver(jira, { url: server.url, edition, project: "OPS" }).send("trigger")).toMatchObject({
      result: "auth",
    });
  });
});
