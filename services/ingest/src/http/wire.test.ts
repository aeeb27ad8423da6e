/** The HTTP server against bad, broken, slow and hostile requests, over real sockets. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { crc32, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { IngestConfig } from "../config.ts";
import { bulkBody, post, type Running, raw, run, send, winlogbeat } from "../test-kit.ts";

const TOKENS = [{ name: "a", token: "hush-1234" }];
const RIGHT = { authorization: "Bearer hush-1234" };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const plain = (body: Uint8Array): Uint8Array => new Uint8Array(body);
const refusals = (running: Running, reason: string) =>
  running.metrics.valueOf("ingest_requests_refused_total", { reason });

const CODECS = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["zstd", zstdCompressSync],
] as const;

test.each(CODECS)("a body packed with %s is unpacked (%o)", async (encoding, pack) => {
  await using running = await run();
  const answer = await post(`${running.url}/ingest`, plain(pack(bytes(winlogbeat(1)))), {
    "content-encoding": encoding,
  });
  expect(answer.body).toMatchObject({ events: 1, deadLetters: 0 });
});

test("B1 without a token, with a wrong one and with none configured: 401, 403, and this machine only", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const url = `${running.url}/ingest`;
  expect((await post(url, winlogbeat(1))).status).toBe(401);
  expect((await post(url, winlogbeat(1), { authorization: "Bearer guess-5678" })).status).toBe(403);
  expect((await post(url, winlogbeat(1), RIGHT)).status).toBe(200);
  expect((await running.events()).length + (await running.letters()).length).toBe(1);
  expect(JSON.stringify(running.lines)).not.toMatch(/guess-5678|hush-1234/);
  expect(running.lines.filter(({ msg }) => msg === "credentials refused")).toMatchObject([
    { reason: "no-credentials", remote: "127.0.0.1" },
    { reason: "wrong-token" },
  ]);
});

test("B1 without tokens, a web page or a rebound name cannot send through this machine's browser", async () => {
  await using running = await run();
  const { port } = running.service.address;
  const request = (headers: string) =>
    raw(port, `POST /ingest HTTP/1.1\r\n${headers}Content-Length: 2\r\nConnection: close\r\n\r\n{}`);
  expect(await request("Host: localhost\r\nOrigin: https://evil.example\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  expect(await request("Host: evil.example\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  expect(await request("Host: 127.0.0.1:8088\r\n")).toMatch(/^HTTP\/1\.1 400 /);
});

test("B1 a token may stand in the config as its hash alone, be disabled, and be bound to addresses", async () => {
  const sha256 = createHash("sha256").update("hush-1234").digest("hex").toUpperCase();
  const tokens = [
    { name: "hashed", sha256, allow: ["127.0.0.0/8"] },
    { name: "off", token: "hush-off", disabled: true },
    { name: "elsewhere", token: "hush-far", allow: ["10.0.0.0/8", "2001:db8::1"] },
  ];
  await using running = await run({ config: { tokens } });
  const status = async (token: string) =>
    (await post(`${running.url}/ingest`, winlogbeat(1), { authorization: `Bearer ${token}` })).status;
  expect(await status("hush-1234")).toBe(200);
  expect(await status(sha256)).toBe(403);
  expect(await status("hush-off")).toBe(403);
  expect(await status("hush-far")).toBe(403);
  expect(running.service.sources()).toMatchObject([{ token: "hashed", events: 1 }]);
  expect(running.lines.map(({ reason }) => reason).filter(Boolean)).toEqual([
    "wrong-token",
    "disabled-token",
    "not-allowed",
  ]);
});

test("B1 an address that is not on the list may not send, whatever its token; the probes answer it", async () => {
  await using running = await run({ config: { tokens: TOKENS, allow: ["192.0.2.0/24"] } });
  for (const path of ["/ingest", "/_bulk", "/services/collector", "/v1/logs"]) {
    expect([path, (await post(`${running.url}${path}`, winlogbeat(1), RIGHT)).status]).toEqual([path, 403]);
  }
  expect((await send(`${running.url}/readyz`)).status).toBe(200);
  expect((await running.events()).length + (await running.letters()).length).toBe(0);
});

test.each([
  [{ name: "a" }, "sha256"],
  [{ name: "a", token: "t", sha256: "0".repeat(64) }, "not both"],
  [{ name: "a", sha256: "0".repeat(63) }, "64 hex digits"],
])("B1 a token that is neither given nor hashed, or both, is refused: %j", (token, words) => {
  const result = IngestConfig.safeParse({ tokens: [token] });
  expect(result.error?.message).toContain(words);
});

test("B4 too many wrong tokens from one address are 429 with a time to wait, and pass again after it", async () => {
  const clock = settableClock(Date.UTC(2024, 0, 1));
  await using running = await run({ clock, config: { tokens: TOKENS, wrongTokensPerMinuteMax: 5 } });
  const url = `${running.url}/ingest`;
  const wrong = () => post(url, "{}", { authorization: "Bearer nope" });
  for (let n = 0; n < 5; n += 1) expect((await wrong()).status).toBe(403);
  const limited = await post(url, winlogbeat(1), RIGHT);
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "60"]);
  await clock.advance(61_000);
  expect((await post(url, winlogbeat(1), RIGHT)).status).toBe(200);
});

test("B5 a body above the limit is 413 by its length, and while it streams; the connection ends", async () => {
  await using running = await run({ config: { bodyMaxBytes: 1_000 } });
  const { port } = running.service.address;
  const head = "POST /ingest HTTP/1.1\r\nHost: localhost\r\n";
  const declared = await raw(port, `${head}Content-Length: 5000\r\n\r\n${"x".repeat(100)}`);
  expect(declared).toMatch(/^HTTP\/1\.1 413 /);
  expect(declared.toLowerCase()).toContain("connection: close");
  const chunk = `400\r\n${"x".repeat(0x400)}\r\n`;
  const streamed = await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`);
  expect(streamed).toMatch(/^HTTP\/1\.1 413 /);
  expect(await refusals(running, "too-large")).toBe(2);
  expect(await running.letters()).toEqual([]);
});

test("B5 a client that sends all of a large body still reads the 413", async () => {
  await using running = await run({ config: { bodyMaxBytes: 1_000 } });
  const answer = await post(`${running.url}/_bulk`, "x".repeat(3_000_000));
  expect([answer.status, answer.body.error.type]).toEqual([413, "content_too_long_exception"]);
});

test.each(CODECS)("B6 a %s bomb is 413 within its limit (%o)", async (encoding, pack) => {
  await using running = await run({ config: { unpackedMaxBytes: 8_000_000 } });
  const bomb = plain(pack(Buffer.alloc(100_000_000)));
  expect(bomb.length).toBeLessThan(200_000);
  const before = process.memoryUsage().rss;
  const answer = await post(`${running.url}/ingest`, bomb, { "content-encoding": encoding });
  expect(answer.status).toBe(413);
  expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000);
  expect(await refusals(running, "unpacks-too-large")).toBe(1);
});

test("B5 a request of more records than are taken at once is 413 in each protocol, and nothing of it is stored", async () => {
  await using running = await run({ config: { recordsMax: 3 } });
  const records = [1, 2, 3, 4].map((n) => winlogbeat(n));
  const answers = await Promise.all([
    post(`${running.url}/ingest`, records.join("\n")),
    post(`${running.url}/ingest`, "{}".repeat(4)),
    post(`${running.url}/_bulk`, bulkBody(records)),
    post(`${running.url}/_bulk`, "x\n".repeat(4)),
    post(`${running.url}/services/collector`, '{"event":{}}'.repeat(4)),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([413, 413, 413, 413, 413]);
  expect(answers[4]?.body).toEqual({ text: "Request entity too large", code: 27 });
  expect([...(await running.events()), ...(await running.letters())]).toEqual([]);
  expect((await post(`${running.url}/_bulk`, bulkBody(records.slice(1)))).status).toBe(200);
});

test.each(["", "foo", "a/b/c", "application/vnd.elasticsearch+x-ndjson;compatible-with=8", "text/plain; charset"])(
  "a body is read whatever Content-Type says: %j",
  async (type) => {
    await using running = await run();
    const body = bulkBody([winlogbeat(1)]);
    const head = `POST /_bulk HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(await raw(running.service.address.port, head + body)).toMatch(/^HTTP\/1\.1 200 /);
  },
);

test("B6 a ratio above the limit is 413 even where the size is within it", async () => {
  await using running = await run({ config: { unpackRatioMax: 50 } });
  const body = plain(gzipSync(Buffer.alloc(4_000_000)));
  expect((await post(`${running.url}/ingest`, body, { "content-encoding": "gzip" })).status).toBe(413);
});

test.each(["br", "gzip, gzip", "compress", "gzip;q=1"])("B7 Content-Encoding %s is 415", async (encoding) => {
  await using running = await run();
  const answer = await post(`${running.url}/ingest`, plain(gzipSync(bytes(winlogbeat(1)))), {
    "content-encoding": encoding,
  });
  expect(answer.status).toBe(415);
});

test("B8 a truncated or continued gzip body is 400, and kept as it came", async () => {
  await using running = await run();
  const whole = gzipSync(bytes(winlogbeat(1).repeat(20)));
  const headers = { "content-encoding": "gzip" };
  const url = `${running.url}/ingest`;
  expect((await post(url, plain(whole.subarray(0, whole.length - 20)), headers)).status).toBe(400);
  expect((await post(url, plain(Buffer.concat([whole, Buffer.from("garbage")])), headers)).status).toBe(400);
  expect((await post(url, bytes("not gzip at all"), headers)).status).toBe(400);
  const hec = await post(`${running.url}/services/collector`, bytes("not gzip either"), headers);
  expect([hec.status, hec.body]).toEqual([400, { text: "Invalid data format", code: 6 }]);
  const letters = await running.letters();
  expect(letters.map(({ reason, encoding }) => [reason, encoding])).toEqual([
    ["http.broken-encoding", "base64"],
    ["http.broken-encoding", "base64"],
    ["http.broken-encoding", "utf8"],
    ["http.broken-encoding", "utf8"],
  ]);
  expect(await running.events()).toEqual([]);
});

test("B9 several gzip members are one body", async () => {
  await using running = await run();
  const members = Buffer.concat([gzipSync(`${winlogbeat(1)}\n`), gzipSync(`${winlogbeat(2)}\n`)]);
  const answer = await post(`${running.url}/ingest`, plain(members), { "content-encoding": "gzip" });
  expect(answer.body).toMatchObject({ events: 2, deadLetters: 0 });
});

test.each([
  ["both lengths", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["two different lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
  ["a length that is no number", "Content-Length: +2\r\n\r\n{}"],
  ["a bad chunk size", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"],
  ["an encoding after chunked", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"],
  ["a NUL in a header", "X-Odd: a\0b\r\nContent-Length: 2\r\n\r\n{}"],
  ["a folded header", "X-Odd: a\r\n b: c\0\r\nContent-Length: 2\r\n\r\n{}"],
  ["a space before a colon", "Content-Length : 2\r\n\r\n{}"],
])("B10 B11 %s is 400 and the connection ends", async (_, rest) => {
  await using running = await run();
  const answer = await raw(running.service.address.port, `POST /ingest HTTP/1.1\r\nHost: localhost\r\n${rest}`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.toLowerCase()).toContain("connection: close");
  expect((await running.events()).length + (await running.letters()).length).toBe(0);
});

test("B11 headers above 16 KiB and a 101st header are 431", async () => {
  await using running = await run();
  const { port } = running.service.address;
  const begin = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  expect(await raw(port, `${begin}X-Long: ${"x".repeat(17_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  const many = Array.from({ length: 99 }, (_, n) => `X-${n}: 1\r\n`).join("");
  expect(await raw(port, `${begin}${many}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  expect(await raw(port, `${begin}${many.slice(0, 500)}X-End: 1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
});

test("B12 wrong methods are 405 with what is allowed, unknown paths 404, and paths that climb 400", async () => {
  await using running = await run();
  const { port } = running.service.address;
  const get = await send(`${running.url}/ingest`);
  expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await send(`${running.url}/services/collector/event`, { method: "DELETE" })).status).toBe(405);
  expect((await send(`${running.url}/nowhere`)).status).toBe(404);
  expect((await send(`${running.url}/services/collector/s2s`, { method: "POST", body: "x" })).status).toBe(404);
  expect(running.lines.at(-1)).toMatchObject({ level: "warn", path: "/services/collector/s2s" });
  for (const path of ["/../etc/passwd", "/_bulk/../ingest", "/%2e%2e/x", "/a%2f..%2fb", "/..\\x"]) {
    const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer, path).toMatch(/^HTTP\/1\.1 400 /);
  }
});

test("P7 more than may be held in memory is told to come back, and room comes back with the answers", async () => {
  await using running = await run({ config: { inFlightMaxBytes: 1_000_000 } });
  const { port } = running.service.address;
  const slow = connect(port, "127.0.0.1");
  slow.write(`POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 950000\r\n\r\n${" ".repeat(900_000)}`);
  await expect.poll(() => running.metrics.valueOf("ingest_in_flight_bytes")).toBeGreaterThan(800_000);
  const large = bulkBody([winlogbeat(1, { message: "m".repeat(300_000) })]);
  const busy = await post(`${running.url}/_bulk`, large);
  expect([busy.status, busy.body.error.type]).toEqual([429, "es_rejected_execution_exception"]);
  const refused = await post(`${running.url}/services/collector`, `{"event":"${"x".repeat(300_000)}"}`);
  expect([refused.status, refused.headers.get("retry-after"), refused.body]).toEqual([
    503,
    "5",
    { text: "Server is busy", code: 9 },
  ]);
  slow.destroy();
  await expect.poll(() => running.metrics.valueOf("ingest_in_flight_bytes")).toBe(0);
  expect((await post(`${running.url}/_bulk`, large)).status).toBe(200);
});

test("F20 F21 a slow sender is told 408 when its time is up, and others are served meanwhile", async () => {
  await using running = await run({ config: { requestTimeoutMs: 600, headersTimeoutMs: 300 } });
  const { port } = running.service.address;
  const headers = raw(port, "POST /ingest HTTP/1.1\r\nHost: loc");
  const body = raw(port, "POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  const drip = connect(port, "127.0.0.1");
  let dripped = "";
  drip.setEncoding("utf8").on("data", (text: string) => {
    dripped += text;
  });
  drip.on("error", () => {});
  const timer = setInterval(() => drip.write("X"), 50);
  drip.once("close", () => clearInterval(timer));
  drip.write("POST /ingest HTTP/1.1\r\nX: ");
  expect((await post(`${running.url}/ingest`, winlogbeat(1))).status).toBe(200);
  expect(await headers).toMatch(/^HTTP\/1\.1 408 /);
  expect(await body).toMatch(/^HTTP\/1\.1 408 /);
  await expect.poll(() => dripped).toMatch(/^HTTP\/1\.1 408 /);
  expect(await refusals(running, "timeout")).toBeGreaterThanOrEqual(3);
});

test("F20 an idle connection is closed after its time", async () => {
  await using running = await run({ config: { idleTimeoutMs: 200 } });
  const answer = await raw(running.service.address.port, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test("probes and metrics are open, and tell no host names", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  await post(`${running.url}/ingest`, winlogbeat(1, { host: "secret-host" }), RIGHT);
  expect((await send(`${running.url}/readyz`)).body).toEqual({ state: "ok", reasons: [] });
  expect((await send(`${running.url}/livez`)).status).toBe(200);
  const text = await (await fetch(`${running.url}/metrics`)).text();
  expect(text).toContain('culprit_ingest_records_accepted_total{receiver="ingest"} 1');
  expect(text).not.toContain("secret-host");
});

test("a gzip checksum that is wrong is noticed", async () => {
  await using running = await run();
  const body = gzipSync(bytes(winlogbeat(1)));
  body.writeUInt32LE(crc32("something else"), body.length - 8);
  expect((await post(`${running.url}/ingest`, plain(body), { "content-encoding": "gzip" })).status).toBe(400);
});
