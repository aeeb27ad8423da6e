import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { addressGuard } from "./address-guard.ts";
import { ANSWER_MAX_BYTES, httpPost, readRetryAfter, resultOf, resultOfFault } from "./http.ts";
import { LOCALHOST } from "./notifiers/test-kit.ts";
import { fakeServer } from "./test-kit.ts";
import { trustedAuthorities } from "./trust.ts";

const post = httpPost(addressGuard({ allow: ["127.0.0.1"] }));
const soon = (): AbortSignal => AbortSignal.timeout(3_000);
const NOW = Date.parse("2026-03-17T02:00:00.000Z");

test("B45 of a huge answer 64 KiB are read, then the connection is closed", async () => {
  await using server = await fakeServer(() => ({ status: 500, body: "x".repeat(5_000_000) }));
  const answer = await post({ url: server.url, body: "{}" }, soon());
  expect(answer.body).toHaveLength(ANSWER_MAX_BYTES);
});

test("B45 an answer that never ends is read up to the limit and given up by its deadline", async () => {
  const endless = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\nstarted");
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const { port } = endless.address() as AddressInfo;
  const failed = post({ url: `http://127.0.0.1:${port}/` }, AbortSignal.timeout(200));
  await expect(failed).rejects.toMatchObject({ code: "notify.unreachable", fields: { sent: 1 } });
  endless.close();
});

test("B44 a redirect is not followed", async () => {
  await using server = await fakeServer(() => ({ status: 302, headers: { location: "http://169.254.169.254/" } }));
  const answer = await post({ url: server.url }, soon());
  expect(resultOf(answer, NOW, "delivered")).toMatchObject({ result: "never" });
  expect(server.received).toHaveLength(1);
});

test("B45 a server that does not speak TLS gets no plain text", async () => {
  await using server = await fakeServer();
  const failed = post({ url: server.url.replace("http:", "https:"), body: "secret" }, soon());
  await expect(failed).rejects.toMatchObject({ code: "notify.unreachable" });
  expect(server.received).toHaveLength(0);
});

test("a server of one's own house is trusted once its authority is named", async () => {
  const server = createTlsServer(LOCALHOST, (_, response) => void response.end("taken"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(post({ url, body: "secret" }, soon())).rejects.toThrow("self-signed");
  const guard = addressGuard({ allow: ["127.0.0.1"] });
  const trusting = httpPost(guard, { trust: trustedAuthorities(LOCALHOST.cert) });
  expect(await trusting({ url, body: "{}" }, soon())).toMatchObject({ status: 200, body: "taken" });
  server.closeAllConnections();
  server.close();
});

test("a refused connection is known not to have arrived, a cut one may have", async () => {
  await using server = await fakeServer(() => "cut");
  const cut = await post({ url: server.url }, soon()).catch(resultOfFault);
  expect(cut).toMatchObject({ result: "later", uncertain: true });
  await server.leave();
  const gone = await post({ url: server.url }, soon()).catch(resultOfFault);
  expect(gone).toMatchObject({ result: "later", uncertain: false });
});

describe("what an answer means", () => {
  test.each([
    [200, "ok"],
    [202, "ok"],
    [301, "never"],
    [400, "never"],
    [401, "auth"],
    [403, "auth"],
    [404, "never"],
    [408, "later"],
    [410, "never"],
    [422, "never"],
    [429, "later"],
    [500, "later"],
    [503, "later"],
  ])("%i is %s", (status, result) => {
    expect(resultOf({ status, headers: {}, body: "" }, NOW, "accepted").result).toBe(result);
  });

  test.each([
    ["7", 7_000],
    [" 0 ", 0],
    ["Tue, 17 Mar 2026 02:00:30 GMT", 30_000],
    ["Tue, 17 Mar 2020 02:00:30 GMT", 0],
    ["999999999", 6 * 3_600_000],
    ["soon", undefined],
    ["-5", undefined],
  ])("Retry-After %s is %s ms", (text, ms) => {
    const read = readRetryAfter(text, NOW);
    expect(read === undefined || read >= 0).toBe(true);
    expect(text === "-5" ? undefined : read).toBe(ms);
  });
});
