import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { EXIT } from "../exit-code.ts";
import { runDoctor } from "./doctor.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "culprit-doctor-"));
  cleanUp.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A server on a free port that answers paths as told. */
async function serving(answers: Readonly<Record<string, readonly [number, string]>>): Promise<number> {
  const server: Server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ""] ?? [404, ""];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function doctor(config: object): Promise<{ code: number; said: Record<string, string>; last: string }> {
  const dir = await folder();
  await writeFile(join(dir, "culprit.yaml"), JSON.stringify(config));
  const lines: string[] = [];
  const code = await runDoctor({ config: join(dir, "culprit.yaml"), data: dir }, (line) => lines.push(line));
  const said = Object.fromEntries(
    lines.slice(0, -1).map((line) => [line.slice(6, 17).trim(), `${line.slice(0, 6).trim()} ${line.slice(17)}`]),
  );
  return { code, said, last: lines.at(-1) ?? "" };
}

const RECEIVED = `culprit_ingest_records_accepted_total{receiver="hec"} 40
culprit_ingest_records_accepted_total{receiver="bulk"} 60
culprit_ingest_records_outcome_total{receiver="bulk",outcome="dead-letter"} 2
culprit_ingest_records_outcome_total{receiver="bulk",outcome="event"} 98
culprit_ingest_sources_known 3
culprit_ingest_sources_silent 0
`;

test("a Culprit that runs and gets records is fit", async () => {
  const port = await serving({ "/readyz": [200, "ok"], "/metrics": [200, RECEIVED] });
  const { code, said, last } = await doctor({ ingest: { port }, console: { port } });
  expect(said.receivers).toBe(`ok http://127.0.0.1:${port}`);
  expect(said.feed).toBe("ok 100 records from 3 senders, 2 of them not readable, 0 senders silent");
  expect(said.targets).toMatch(/^warn none/);
  expect([code, last]).toEqual([EXIT.done, "nothing failed"]);
});

test("a service that is not ready is a failure with its reason", async () => {
  const port = await serving({ "/readyz": [503, "the log is full"] });
  const { code, said } = await doctor({ ingest: { port }, console: { port } });
  expect(said.console).toBe(`fail http://127.0.0.1:${port} answers 503: the log is full`);
  expect(code).toBe(EXIT.usage);
});

test("a port that something else has is a failure, and a wrong config ends it", async () => {
  const other = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 mail.contoso.example ESMTP\r\n", () => socket.destroy());
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => new Promise((resolve) => other.close(resolve)));
  const { port } = other.address() as AddressInfo;
  const { code, said } = await doctor({ ingest: { port } });
  expect(said.receivers).toBe(`fail http://127.0.0.1:${port} is listened on by something that is not Culprit`);
  expect(code).toBe(EXIT.usage);
  const wrong = await doctor({ ingest: { prot: 1 } });
  expect(wrong.said.config).toContain("did you mean");
  expect(Object.keys(wrong.said)).toEqual(["node", "config"]);
});
