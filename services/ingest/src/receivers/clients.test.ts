/** The official clients of the protocols, as packages: what they ask, send and understand of our answers. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { Client } from "@elastic/elasticsearch";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as GrpcExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from "@opentelemetry/sdk-logs";
import { expect, test } from "vitest";
import { equation, eventXml, portOf, run, winlogbeat } from "../test-kit.ts";

const TOKENS = [{ name: "sender", token: "hush-1234" }];

test.each([
  ["an API key", { apiKey: Buffer.from("any:hush-1234").toString("base64") }],
  ["a password", { username: "any", password: "hush-1234" }],
])(
  "Elasticsearch's client with %s connects, sends bulks packed with gzip and reads what became of each",
  async (_, auth) => {
    await using running = await run({ config: { tokens: TOKENS } });
    const client = new Client({ node: running.url, auth, compression: true, maxRetries: 0 });
    expect((await client.info()).version.number).toBe("8.19.0");
    const outcome = await client.helpers.bulk({
      datasource: [1, 2, 3].map((n) => JSON.parse(winlogbeat(n)) as object),
      onDocument: () => ({ create: { _index: "winlogbeat-8.19.0" } }),
      onDrop: (dropped) => expect(dropped).toBeUndefined(),
    });
    expect(outcome).toMatchObject({ total: 3, failed: 0, successful: 3, retry: 0 });
    expect(await equation(running)).toMatchObject({ accepted: 3, events: 3 });
    expect(running.service.sources()).toMatchObject([{ receiver: "elasticsearch", token: "sender" }]);
    await client.close();
  },
);

test("Elasticsearch's client understands a wrong key and an action that is refused", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const stranger = new Client({
    node: running.url,
    auth: { apiKey: Buffer.from("any:guess").toString("base64") },
    maxRetries: 0,
  });
  await expect(stranger.info()).rejects.toMatchObject({ statusCode: 403 });
  const client = new Client({ node: running.url, auth: { username: "a", password: "hush-1234" }, maxRetries: 0 });
  const answer = await client.bulk({
    operations: [{ delete: { _index: "i", _id: "1" } }, { create: { _index: "i" } }, JSON.parse(winlogbeat(1))],
  });
  expect([answer.errors, answer.items.map((item) => Object.values(item)[0]?.status)]).toEqual([true, [400, 201]]);
  await Promise.all([stranger.close(), client.close()]);
});

async function exportTwo(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger("windows");
  const time = new Date(Date.UTC(2024, 2, 1, 10));
  logger.emit({ timestamp: time, severityNumber: SeverityNumber.ERROR, body: eventXml(1) });
  logger.emit({
    timestamp: time,
    body: {
      event_id: { id: 7031, qualifiers: 49152 },
      provider: { name: "Service Control Manager" },
      channel: "System",
      computer: "hv11.contoso.com",
      record_id: 2,
      system_time: "2024-03-01T10:00:00.1234567Z",
      event_data: { data: [{ param1: "Cluster Service" }] },
    },
  });
  await provider.forceFlush();
  await provider.shutdown();
}

test("OpenTelemetry's exporter sends protobuf over HTTP, XML and maps", async () => {
  await using running = await run({ config: { tokens: TOKENS } });
  const headers = { authorization: "Bearer hush-1234" };
  await exportTwo(new ProtobufExporter({ url: `${running.url}/v1/logs`, headers }));
  expect((await running.events()).map(({ event }) => [event.recordId, event.data.values])).toEqual([
    ["1", ["Cluster Service"]],
    ["2", ["Cluster Service"]],
  ]);
  expect(await running.letters()).toEqual([]);
});

test("OpenTelemetry's exporter sends over gRPC", async () => {
  await using running = await run({ config: { otlp: { grpc: { port: 0 } } } });
  await exportTwo(new GrpcExporter({ url: `http://127.0.0.1:${portOf(running, "otlp-grpc")}` }));
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["1", "2"]);
});

const CURL = "/usr/bin/curl";
if (!existsSync(CURL)) console.log("left out: curl (not installed)");

test.runIf(existsSync(CURL)).each([
  ["/ingest", []],
  ["/services/collector/raw", ["-H", "X-Splunk-Request-Channel: 0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba"]],
  ["/ingest", ["-H", "Transfer-Encoding: chunked"]],
  ["/ingest", ["-H", "Content-Encoding: gzip"]],
] as const)("curl sends a file of some megabytes to %s %j and waits for leave first", async (path, more) => {
  const folder = await mkdtemp(join(tmpdir(), "culprit-curl-"));
  await using running = await run({ config: { tokens: TOKENS } });
  try {
    const text = Array.from({ length: 4_000 }, (_, n) => winlogbeat(n, { message: "m".repeat(400) })).join("\n");
    const file = join(folder, "export.ndjson");
    await writeFile(file, more.includes("Content-Encoding: gzip" as never) ? gzipSync(text) : text);
    const options = ["-sS", "-H", "Authorization: Splunk hush-1234", "-H", "Expect: 100-continue", ...more];
    const { stdout } = await promisify(execFile)(CURL, [
      ...options,
      "--data-binary",
      `@${file}`,
      `${running.url}${path}`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject(path === "/ingest" ? { events: 4_000 } : { code: 0 });
    expect(await equation(running)).toMatchObject({ accepted: 4_000, events: 4_000 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
