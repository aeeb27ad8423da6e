/** What ingest's tests share: a running service on a port of its own, records to send, raw sockets, and a look at the log. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type EmbeddedBus, type EmbeddedBusOptions, openEmbeddedBus } from "@culprit/bus";
import { SELECT_ALL, type Selection } from "@culprit/formats";
import { Arrival, type CoverageArrival, DeadLetter, type EventArrival } from "@culprit/model";
import { type Clock, createLogger, createMetrics, type Metrics, systemClock } from "@culprit/runtime";
import type { z } from "zod";
import { IngestConfig } from "./config.ts";
import { type IngestService, start } from "./service.ts";

export interface Running {
  readonly service: IngestService;
  readonly bus: EmbeddedBus;
  readonly metrics: Metrics;
  readonly url: string;
  readonly lines: Record<string, unknown>[];
  events(): Promise<EventArrival[]>;
  coverage(): Promise<CoverageArrival[]>;
  letters(): Promise<DeadLetter[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RunOptions {
  readonly config?: z.input<typeof IngestConfig>;
  readonly bus?: EmbeddedBusOptions;
  readonly selection?: Selection;
  readonly clock?: Clock;
}

export async function run({
  config = {},
  bus: busOptions,
  selection = SELECT_ALL,
  clock = systemClock,
}: RunOptions = {}): Promise<Running> {
  const bus = await openEmbeddedBus(busOptions);
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ service: "ingest", write: (line) => lines.push(JSON.parse(line)) });
  const service = await start({
    config: IngestConfig.parse({ port: 0, ...config }),
    bus,
    selection,
    clock,
    logger,
    metrics,
  });
  const arrivals = async (): Promise<Arrival[]> =>
    (await valuesOf(bus, "events")).map((value) => Arrival.parse(value) as Arrival);
  return {
    service,
    bus,
    metrics,
    lines,
    url: `http://127.0.0.1:${service.address.port}`,
    events: async () => (await arrivals()).filter((value): value is EventArrival => value.kind === "event"),
    coverage: async () => (await arrivals()).filter((value): value is CoverageArrival => value.kind === "coverage"),
    letters: async () => (await valuesOf(bus, "dead-letters")).map((value) => DeadLetter.parse(value)),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await bus.close();
    },
  };
}

async function valuesOf(bus: EmbeddedBus, topic: string): Promise<unknown[]> {
  const values: unknown[] = [];
  const follower = await bus.follow({
    topic,
    handle: ({ messages }) => void values.push(...messages.map(({ value }) => value)),
  });
  await follower.caughtUp;
  await follower.close();
  return values;
}

/** A record as Winlogbeat sends it. */
export function winlogbeat(
  n: number,
  more: { host?: string; eventId?: number; message?: string; at?: number } = {},
): string {
  const { host = "hv11.contoso.com", eventId = 7031, message = "The Cluster Service service terminated.", at } = more;
  const time = new Date(at ?? Date.UTC(2024, 2, 1, 10, 0, n)).toISOString();
  return JSON.stringify({
    "@timestamp": time,
    event: { code: String(eventId), kind: "event", provider: "Service Control Manager" },
    log: { level: "error" },
    message,
    host: { name: host },
    winlog: {
      api: "wineventlog",
      channel: "System",
      computer_name: host,
      event_id: String(eventId),
      provider_name: "Service Control Manager",
      record_id: n,
      event_data: { param1: "Cluster Service" },
    },
    ecs: { version: "1.12.0" },
  });
}

/** A record as event XML. */
export function eventXml(n: number, host = "hv11.contoso.com"): string {
  const time = new Date(Date.UTC(2024, 2, 1, 10, 0, n)).toISOString();
  return (
    `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>` +
    `<Provider Name='Service Control Manager'/><EventID Qualifiers='49152'>7031</EventID><Level>2</Level>` +
    `<TimeCreated SystemTime='${time}'/><EventRecordID>${n}</EventRecordID><Channel>System</Channel>` +
    `<Computer>${host}</Computer></System><EventData><Data Name='param1'>Cluster Service</Data></EventData></Event>`
  );
}

/** What the intake counted: P2's equation. */
export async function equation(running: Running): Promise<Record<string, number>> {
  const outcome = (name: string) => running.metrics.valueOf("ingest_records_outcome_total", { outcome: name });
  return {
    accepted: await running.metrics.valueOf("ingest_records_accepted_total"),
    events: await outcome("event"),
    deadLetters: await outcome("dead-letter"),
    notSelected: await outcome("not-selected"),
    duplicates: await outcome("duplicate"),
  };
}

/** A record as Snare sends it over syslog. */
export function snare(
  n: number,
  { message = "The Cluster Service service terminated.", priority = "<13>" } = {},
): string {
  const fields = [
    "MSWinEventLog",
    "1",
    "System",
    String(n),
    `Fri Mar 01 10:00:${String(n).padStart(2, "0")} 2024`,
    "7031",
  ];
  const more = ["Service Control Manager", "N/A", "N/A", "Error", "n1.corp.example", "None", "", message, String(n)];
  return `${priority}Mar 01 10:00:00 n1 ${[...fields, ...more].join("\t")}`;
}

/** Documents as a `_bulk` body. */
export function bulkBody(documents: readonly string[], index = "winlogbeat-8.19.0"): string {
  return documents.map((document) => `${JSON.stringify({ create: { _index: index } })}\n${document}\n`).join("");
}

export interface Posted {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came back; the tests say what they expect of it
  readonly body: any;
}

/** Sends a request and reads a JSON answer. */
export async function send(url: string, init: RequestInit = {}): Promise<Posted> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

export function post(url: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Posted> {
  return send(url, { method: "POST", body: body as BodyInit, headers });
}

/** The port of a receiver with a socket of its own. */
export function portOf({ service }: Running, listener: string): number {
  return service.listeners[listener]?.port ?? 0;
}

/** A connection to such a receiver. */
export async function tcp(running: Running, listener: string): Promise<Socket> {
  const socket = connect(portOf(running, listener), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends all and waits until the service has read it to its end. */
export async function sendTcp(running: Running, listener: string, bytes: string | Uint8Array): Promise<void> {
  const socket = await tcp(running, listener);
  socket.end(bytes);
  await once(socket.resume(), "close");
}

export async function sendUdp(
  running: Running,
  listener: string,
  messages: readonly (string | Uint8Array)[],
): Promise<void> {
  const socket = createSocket("udp4");
  for (const message of messages) {
    await new Promise((resolve) => socket.send(message, portOf(running, listener), "127.0.0.1", resolve));
  }
  socket.close();
}

/** Writes bytes to a fresh connection and reads until the server closes it. */
export async function raw(port: number, bytes: string | Uint8Array, { end = false } = {}): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  if (end) socket.end();
  await once(socket, "close");
  return Buffer.concat(chunks).toString("utf8");
}

/** Wants only Service Control Manager 7031. */
export const ONLY_7031: Selection = { wants: (_provider, _channel, eventId) => eventId === 7031 };
