/** The pages of docs/forwarders: what each says arrives is sent to a running ingest, the way the page says. */

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { equation, post, type Running, run, sendTcp, sendUdp, tcp } from "./test-kit.ts";

const PAGES = new URL("../../../docs/forwarders/", import.meta.url);
const SAMPLE = /^```(?:json|xml|text) to=(\S+)\n([\s\S]*?)\n```$/gm;
const CONFIG = {
  syslog: { tcp: { port: 0 }, udp: { port: 0 } },
  gelf: { tcp: { port: 0 } },
  lumberjack: { port: 0 },
} as const;

const SAMPLES = readdirSync(PAGES)
  .filter((name) => name.endsWith(".md") && name !== "README.md")
  .flatMap((page) =>
    [...readFileSync(new URL(page, PAGES), "utf8").matchAll(SAMPLE)].map(([, to = "", text = ""], i) => ({
      page,
      number: i + 1,
      to,
      text,
    })),
  );

async function lumberjack(running: Running, text: string): Promise<void> {
  const socket = await tcp(running, "lumberjack");
  const event = Buffer.concat([Buffer.from("2J\0\0\0\x01"), Buffer.alloc(4), Buffer.from(text)]);
  event.writeUInt32BE(Buffer.byteLength(text), 6);
  const packed = deflateSync(event);
  const head = Buffer.from("2W\0\0\0\x012C\0\0\0\0");
  head.writeUInt32BE(packed.length, 8);
  socket.write(Buffer.concat([head, packed]));
  expect((await once(socket, "data"))[0]).toEqual(Buffer.from("2A\0\0\0\x01"));
  socket.destroy();
}

async function http(url: string, body: string, headers: Record<string, string> = {}): Promise<void> {
  expect((await post(url, body, headers)).status).toBe(200);
}

const SENDERS: Readonly<Record<string, (running: Running, text: string) => Promise<void>>> = {
  _bulk: (running, text) => http(`${running.url}/_bulk`, `${text}\n`),
  ingest: (running, text) => http(`${running.url}/ingest`, text),
  hec: (running, text) => http(`${running.url}/services/collector`, text),
  firehose: (running, text) => {
    const data = gzipSync(text).toString("base64");
    return http(`${running.url}/firehose`, JSON.stringify({ requestId: "r", timestamp: 1, records: [{ data }] }));
  },
  async loki(running, text) {
    const headers = { "content-type": "application/json" };
    expect((await post(`${running.url}/loki/api/v1/push`, text, headers)).status).toBe(204);
  },
  "v1/logs": (running, text) => http(`${running.url}/v1/logs`, text, { "content-type": "application/json" }),
  "syslog-tcp": (running, text) => sendTcp(running, "syslog-tcp", `${text}\n`),
  "syslog-udp": (running, text) => sendUdp(running, "syslog-udp", [text]),
  "gelf-tcp": (running, text) => sendTcp(running, "gelf-tcp", `${text}\0`),
  lumberjack,
};

test.each(SAMPLES)("$page: record $number, sent to $to, is the event that it shows", async ({ to, text }) => {
  await using running = await run({ config: CONFIG });
  await SENDERS[to]?.(running, text);
  await expect.poll(async () => (await equation(running))["accepted"]).toBeGreaterThan(0);
  expect(await running.letters()).toEqual([]);
  const events = (await running.events()).map(({ event }) => event);
  for (const { host, provider, eventId, channel, timeCreated } of events) {
    expect([host, provider, eventId, channel]).toEqual(["hv11.contoso.com", "Service Control Manager", 7031, "System"]);
    expect(Math.floor(timeCreated / 1_000)).toBe(Date.UTC(2024, 2, 1, 10) / 1_000);
  }
  expect(events.length).toBeGreaterThan(0);
});

test("every page shows how the forwarder is set", () => {
  const without = readdirSync(PAGES).filter((page) => {
    const text = readFileSync(new URL(page, PAGES), "utf8");
    const setting = text.slice(0, text.indexOf("## What arrives"));
    return page !== "README.md" && !/culprit|5514|8088|12201/.test(setting);
  });
  expect(without).toEqual([]);
});

test("every page has records, and the list of pages is whole", () => {
  const pages = readdirSync(PAGES).filter((name) => name !== "README.md");
  expect([...new Set(SAMPLES.map(({ page }) => page))].sort()).toEqual(pages.sort());
  const list = readFileSync(new URL("README.md", PAGES), "utf8");
  expect(pages.filter((page) => !list.includes(`](${page})`))).toEqual([]);
  expect(SAMPLES.filter(({ to }) => SENDERS[to] === undefined)).toEqual([]);
});
