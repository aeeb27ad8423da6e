import { expect, test } from "vitest";
import { bulkBody, eventXml, ONLY_7031, post, run, send, winlogbeat } from "../test-kit.ts";

test("Winlogbeat's requests at connect are answered as Elasticsearch would", async () => {
  await using running = await run();
  const asked: readonly [string, string, unknown][] = [
    ["GET", "/", { version: { number: "8.19.0", build_flavor: "default" }, tagline: "You Know, for Search" }],
    ["GET", "/_license?human=false", { license: { type: "basic", status: "active", mode: "basic" } }],
    ["GET", "/_xpack?filter_path=features.monitoring.enabled", { features: { monitoring: { enabled: false } } }],
    ["GET", "/_ilm/policy/winlogbeat", { acknowledged: true }],
    ["PUT", "/_ilm/policy/winlogbeat", { acknowledged: true }],
    ["PUT", "/_index_template/winlogbeat-8.19.0", { acknowledged: true }],
    ["PUT", "/_data_stream/winlogbeat-8.19.0", { acknowledged: true }],
    ["PUT", "/_template/winlogbeat-7.17.0", { acknowledged: true }],
    ["GET", "/_nodes/ingest", { nodes: {} }],
    ["GET", "/_cluster/health", { status: "green" }],
  ];
  for (const [method, path, expected] of asked) {
    const answer = await send(running.url + path, { method, ...(method === "PUT" ? { body: "{}" } : {}) });
    expect(answer.status, path).toBe(200);
    expect(answer.body, path).toMatchObject(expected as object);
    expect(answer.headers.get("x-elastic-product"), path).toBe("Elasticsearch");
  }
  for (const path of ["/", "/_index_template/winlogbeat-8.19.0", "/_alias/winlogbeat"]) {
    const answer = await send(running.url + path, { method: "HEAD" });
    expect([answer.status, answer.body], path).toEqual([200, undefined]);
  }
});

test("P1 a bulk request is answered item by item, once its documents are events", async () => {
  await using running = await run();
  const body = bulkBody([winlogbeat(1), winlogbeat(2)]);
  const response = await fetch(`${running.url}/_bulk`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-ndjson" },
  });
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(text).toMatch(
    /^\{"took":\d+,"errors":false,"items":\[\{"create":\{"_index":"winlogbeat-8\.19\.0","_id":"[^"]+","status":201\}\},/,
  );
  expect(JSON.parse(text).items).toHaveLength(2);
  const events = await running.events();
  expect(events.map(({ event }) => [event.host, event.eventId, event.recordId])).toEqual([
    ["hv11.contoso.com", 7031, "1"],
    ["hv11.contoso.com", 7031, "2"],
  ]);
  expect(events[0]).toMatchObject({
    kind: "event",
    receiver: "elasticsearch",
    id: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test("the index may stand in the path, and an id is given back", async () => {
  await using running = await run();
  const body = `{"index":{"_id":"abc"}}\n${winlogbeat(1)}\n`;
  const { body: answer } = await post(`${running.url}/windows/_bulk`, body);
  expect(answer.items).toEqual([{ index: { _index: "windows", _id: "abc", status: 201 } }]);
});

test("B37 delete, update and unknown actions are refused one by one, the others are taken", async () => {
  await using running = await run();
  const body = [
    '{"delete":{"_index":"w","_id":"1"}}',
    '{"update":{"_index":"w","_id":"2"}}',
    '{"doc":{}}',
    '{"upsert-all":{"_index":"w"}}',
    "{}",
    '{"create":{"_index":"w"}}',
    winlogbeat(3),
    "",
  ].join("\n");
  const { status, body: answer } = await post(`${running.url}/_bulk`, body);
  expect([status, answer.errors]).toEqual([200, true]);
  expect(
    answer.items.map((item: object) => Object.entries(item).map(([name, { status }]) => [name, status])[0]),
  ).toEqual([
    ["delete", 400],
    ["update", 400],
    ["upsert-all", 400],
    ["create", 201],
  ]);
  expect(await running.events()).toHaveLength(1);
});

test("a document that cannot be read is answered 201 and stands in the dead letters", async () => {
  await using running = await run();
  const { body } = await post(`${running.url}/_bulk`, bulkBody([winlogbeat(1), '{"broken": ', '{"no":"event"}']));
  expect(body.errors).toBe(false);
  expect(body.items).toHaveLength(3);
  expect((await running.letters()).map(({ original }) => original)).toEqual(['{"broken": ', '{"no":"event"}']);
});

test("B13 an empty bulk request is refused in Elasticsearch's words", async () => {
  await using running = await run();
  for (const body of ["", "\n\n"]) {
    const answer = await post(`${running.url}/_bulk`, body);
    expect([answer.status, answer.body.error.type, answer.body.status]).toEqual([400, "parse_exception", 400]);
  }
});

test("B14 a bulk request without any action is refused with the line, and kept", async () => {
  await using running = await run();
  const answer = await post(`${running.url}/_bulk`, "this is\nnot a bulk request\n");
  expect(answer.status).toBe(400);
  expect(answer.body.error.reason).toContain("line [1]");
  const letters = await running.letters();
  expect(letters.map(({ original }) => original)).toEqual(["this is", "not a bulk request"]);
  expect(letters[1]).toMatchObject({ reason: "bulk.no-action", detail: expect.stringContaining("line 2, column 1") });
});

test("B16 the last line may lack its line break, lines may end in CRLF, be blank, and begin with a byte order mark", async () => {
  await using running = await run();
  const body = `\ufeff{"create":{}}\r\n${winlogbeat(1)}\r\n\r\n{"create":{}}\r\n${winlogbeat(2)}`;
  const { body: answer } = await post(`${running.url}/_bulk`, body);
  expect(answer.items).toHaveLength(2);
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2"]);
  expect(await running.letters()).toEqual([]);
});

test("B3 a token may name only its own indexes", async () => {
  const tokens = [{ name: "a", token: "secret-a", indexes: ["winlogbeat-a"] }];
  await using running = await run({ config: { tokens } });
  const headers = { authorization: `Basic ${btoa("elastic:secret-a")}` };
  const other = await post(`${running.url}/_bulk`, bulkBody([winlogbeat(1)], "winlogbeat-b"), headers);
  expect([other.status, other.body.error.type]).toEqual([403, "security_exception"]);
  const inPath = await post(`${running.url}/winlogbeat-b/_bulk`, `{"create":{}}\n${winlogbeat(1)}\n`, headers);
  expect(inPath.status).toBe(403);
  const own = await post(`${running.url}/_bulk`, bulkBody([winlogbeat(1)], "winlogbeat-a"), headers);
  expect(own.status).toBe(200);
  expect(await running.events()).toHaveLength(1);
});

test.each(["ApiKey", "Basic"])("Elasticsearch's %s credentials carry the token", async (scheme) => {
  await using running = await run({ config: { tokens: [{ name: "a", token: "s3cret" }] } });
  const headers = { authorization: `${scheme} ${btoa("some-id:s3cret")}` };
  expect((await send(`${running.url}/`, { headers })).status).toBe(200);
  const none = await send(`${running.url}/`);
  expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="culprit", charset="UTF-8"']);
});

test("records that no rule wants are answered like the others, counted, and summed up as coverage", async () => {
  await using running = await run({ selection: ONLY_7031 });
  const documents = [winlogbeat(1), winlogbeat(2, { eventId: 7036 }), winlogbeat(3, { eventId: 7036 }), winlogbeat(4)];
  const { body } = await post(`${running.url}/_bulk`, bulkBody(documents));
  expect(body.items.map((item: { create: { status: number } }) => item.create.status)).toEqual([201, 201, 201, 201]);
  await running.service.stop();
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "4"]);
  expect(await running.coverage()).toEqual([
    {
      kind: "coverage",
      host: "hv11.contoso.com",
      channel: "System",
      from: Date.UTC(2024, 2, 1, 10, 0, 1),
      to: Date.UTC(2024, 2, 1, 10, 0, 4),
      count: 4,
      firstRecordId: 1,
      lastRecordId: 4,
    },
  ]);
});

test("retain: all stores what no rule wants", async () => {
  await using running = await run({ selection: ONLY_7031, config: { retain: "all" } });
  await post(`${running.url}/_bulk`, bulkBody([winlogbeat(1, { eventId: 1 }), eventXml(2)]));
  expect(await running.events()).toHaveLength(2);
});
