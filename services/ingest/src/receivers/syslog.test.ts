/** Syslog over real sockets: TCP, UDP, TLS, and the tools that are on this machine. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import {
  equation,
  eventXml,
  ONLY_7031,
  portOf,
  type Running,
  run,
  sendTcp,
  sendUdp,
  snare,
  tcp,
  winlogbeat,
} from "../test-kit.ts";
import { hasOpenssl, pki } from "../testing/pki.ts";

const exec = promisify(execFile);
const counted = (message: string): string => `${Buffer.byteLength(message)} ${message}`;
const TCP = { syslog: { tcp: { port: 0 } } } as const;

const recordIds = async (running: Running): Promise<unknown[]> =>
  (await running.events()).map(({ event }) => event.recordId ?? event.message);

test.each([
  ["octet counting", [1, 2].map((n) => counted(winlogbeat(n))).join("")],
  ["octet counting around a header", [1, 2].map((n) => counted(`<13>Mar  1 10:00:00 n1 ${winlogbeat(n)}`)).join("")],
  [
    "LF",
    `<13>1 2024-03-01T10:00:00Z n1 nxlog - - - ${winlogbeat(1)}\n<13>Mar  1 10:00:00 n1 nxlog: ${winlogbeat(2)}\n`,
  ],
  ["LF without a header", `${winlogbeat(1)}\n${winlogbeat(2)}\n`],
  ["event XML over several lines", `${eventXml(1).replaceAll("><", ">\n<")}\n${eventXml(2)}\n`],
  ["NUL", `<13>${winlogbeat(1)}\0<13>${eventXml(2)}\0`],
])("P1 records that come with %s are events", async (_, bytes) => {
  await using running = await run({ config: TCP });
  await sendTcp(running, "syslog-tcp", bytes);
  expect(await recordIds(running)).toEqual(["1", "2"]);
  expect(await equation(running)).toMatchObject({ accepted: 2, events: 2 });
});

test("Snare, CEF, LEEF and key-value records come through, and the payload's computer counts", async () => {
  await using running = await run({ config: TCP });
  const lines = [
    snare(1),
    "<13>Mar 01 10:00:00 collector CEF:0|Microsoft|System or Application Event||Service Control Manager:7031|x|Unknown| externalId=7031 cat=System rt=1709287200000 cs3=Service Control Manager cs3Label=EventSource dvchost=N2",
    "<13>Mar 01 10:00:00 n3 AgentDevice=WindowsLog\tAgentLogFile=System\tSource=Service Control Manager\tComputer=n3\tUser=\tDomain=\tEventID=7031\tEventIDCode=7031\tEventType=1\tEventCategory=0\tRecordNumber=4711\tTimeGenerated=1709287200\tTimeWritten=1709287200\tMessage=The Cluster Service stopped",
  ];
  await sendTcp(running, "syslog-tcp", `${lines.join("\n")}\n`);
  expect((await running.events()).map(({ event, receiver }) => [event.host, event.eventId, receiver])).toEqual([
    ["n1.corp.example", 7031, "syslog"],
    ["n2", 7031, "syslog"],
    ["n3", 7031, "syslog"],
  ]);
});

test("a message of several lines is one event once its connection is quiet", async () => {
  const clock = settableClock(Date.UTC(2024, 2, 1, 12));
  await using running = await run({ config: TCP, clock });
  const socket = await tcp(running, "syslog-tcp");
  const asleep = clock.sleepers;
  socket.write(`${snare(1, { message: "An account failed.\r\n\r\nSubject:\r\n\tLogon ID: 0x0" })}\n`);
  await expect.poll(() => clock.sleepers).toBeGreaterThan(asleep);
  expect(await running.events()).toEqual([]);
  await clock.advance(300);
  await expect.poll(running.events).toHaveLength(1);
  expect((await running.events())[0]?.event.message).toContain("Logon ID: 0x0");
  expect(socket.readyState).toBe("open");
  socket.destroy();
});

test("B33 hostile framing costs its sender no other message, and is counted", async () => {
  await using running = await run({ config: TCP });
  await sendTcp(
    running,
    "syslog-tcp",
    `${counted(snare(1))}999999999 ${snare(2)}\n${snare(3, { priority: "<999>" })}\n${counted(snare(4))}`,
  );
  expect(await equation(running)).toMatchObject({ events: 4 });
  const repaired = (reason: string) => running.metrics.valueOf("ingest_framing_repaired_total", { reason });
  expect([await repaired("bad-count"), await repaired("mixed-framing")]).toEqual([1, 1]);
});

test("B33 a connection that lost its place is closed, what it sent is in the dead letters", async () => {
  await using running = await run({ config: { ...TCP, recordMaxBytes: 2_000 } });
  const socket = await tcp(running, "syslog-tcp");
  socket.write(counted("<13>not Windows"));
  socket.write("x".repeat(5_000));
  await once(socket.resume(), "close");
  expect((await running.letters()).map(({ reason, size }) => [reason, size])).toEqual([
    ["format.unknown", 15],
    ["format.unknown", 2_000],
  ]);
});

test("B34 a message above the limit is an event that is marked as cut", async () => {
  await using running = await run({ config: { syslog: { tcp: { port: 0 }, messageMaxBytes: 1_000 } } });
  await sendTcp(running, "syslog-tcp", `${snare(1, { message: "m".repeat(5_000) })}\n${snare(2)}\n`);
  const events = await running.events();
  expect(events.map(({ event }) => event.marks ?? [])).toEqual([expect.arrayContaining(["cut"]), []]);
  expect(await running.metrics.valueOf("ingest_framing_repaired_total", { reason: "cut" })).toBe(1);
});

test("B35 escaped separators and a forged second record in a counted message begin no second one", async () => {
  await using running = await run({ config: TCP });
  const forged = `x\n<13>Mar 01 10:00:00 n1 ${snare(2).slice(4)}`;
  const cef = `CEF:0|Microsoft|System or Application Event||Service Control Manager:7031|a \\| b|Unknown| externalId=7031 cat=System rt=1709287200000 cs3=Service Control Manager cs3Label=EventSource dvchost=N1 msg=a\\=b\\nCEF:0|c`;
  await sendTcp(running, "syslog-tcp", counted(snare(1, { message: forged })) + counted(`<13>${cef}`));
  expect(await equation(running)).toMatchObject({ accepted: 2, events: 2, deadLetters: 0 });
});

test("records that no rule wants are counted and not stored, though syslog hides them", async () => {
  await using running = await run({ config: TCP, selection: ONLY_7031 });
  const line = (eventId: number) => `<13>Mar  1 10:00:00 n1 ${winlogbeat(eventId, { eventId })}\n`;
  await sendTcp(running, "syslog-tcp", line(7031) + line(7036) + line(4624));
  expect(await equation(running)).toMatchObject({ accepted: 3, events: 1, notSelected: 2 });
});

test("F13 while nothing can be stored a TCP sender is held back, and nothing of it is lost", async () => {
  let now = 1_000;
  await using running = await run({
    config: TCP,
    bus: { sizeMaxBytes: 4_000_000, reserveBytes: 1_000_000, now: () => now },
  });
  const socket = await tcp(running, "syslog-tcp");
  const message = "m".repeat(300_000);
  for (let n = 0; n < 30; n += 1) socket.write(`${winlogbeat(n, { message })}\n`);
  await expect.poll(() => running.service.health().state).toBe("degraded");
  expect((await running.events()).length).toBeLessThan(30);
  for (let freed = 0; freed < 12; freed += 1) {
    now += 10 * 86_400_000;
    await running.bus.retain();
    const { accepted } = await equation(running);
    if (accepted === 30) break;
    await expect.poll(async () => (await equation(running))["accepted"]).toBeGreaterThan(accepted ?? 0);
  }
  await expect.poll(async () => (await equation(running))["accepted"], { timeout: 10_000 }).toBe(30);
  expect(await running.metrics.valueOf("ingest_records_dropped_total")).toBe(0);
  socket.destroy();
});

test("F47 stopping takes what was sent before, then closes", async () => {
  await using running = await run({ config: TCP });
  const socket = await tcp(running, "syslog-tcp");
  socket.write(`${snare(1)}\n${snare(2)}`);
  const closed = once(socket.resume(), "close");
  await running.service.stop();
  await closed;
  expect(await equation(running)).toMatchObject({ events: 2 });
});

test("P7 connections above the limit, and addresses that may not send, are closed and counted", async () => {
  const config = {
    syslog: { tcp: { port: 0, connectionsMax: 2, allow: ["127.0.0.0/8"] }, udp: { port: 0, allow: ["10.0.0.0/8"] } },
  };
  await using running = await run({ config });
  const [first, second] = [await tcp(running, "syslog-tcp"), await tcp(running, "syslog-tcp")];
  const third = await tcp(running, "syslog-tcp");
  await once(third.resume(), "close");
  const refused = (reason: string) => running.metrics.valueOf("ingest_requests_refused_total", { reason });
  await expect.poll(() => refused("too-many-connections")).toBe(1);
  await sendUdp(running, "syslog-udp", [snare(1)]);
  await expect.poll(() => refused("not-allowed")).toBe(1);
  expect(await running.events()).toEqual([]);
  first.destroy();
  second.destroy();
});

test("F20 a connection without a byte is closed after its time", async () => {
  await using running = await run({ config: { syslog: { tcp: { port: 0, idleTimeoutMs: 100 } } } });
  const socket = await tcp(running, "syslog-tcp");
  await once(socket.resume(), "close");
  expect(await running.metrics.valueOf("ingest_requests_refused_total", { reason: "idle" })).toBe(1);
});

test("a datagram is one record, whatever lines it holds; sources know who sent it", async () => {
  await using running = await run({ config: { syslog: { udp: { port: 0 } } } });
  const several = snare(2, { message: `first\n${snare(9)}` });
  await sendUdp(running, "syslog-udp", [`${snare(1)}\n`, several, "\n", "<13>not Windows"]);
  await expect.poll(() => equation(running)).toMatchObject({ accepted: 3, events: 2, deadLetters: 1 });
  expect(running.service.sources()).toMatchObject([
    { receiver: "syslog", transport: "syslog-udp", remote: "127.0.0.1", events: 2, deadLetters: 1, hosts: 1 },
  ]);
});

test("P7 datagrams that find no room are dropped and counted", async () => {
  await using running = await run({ config: { syslog: { udp: { port: 0, queueMaxBytes: 300 } } } });
  await sendUdp(running, "syslog-udp", ["<13>x", `<13>${"y".repeat(400)}`]);
  const dropped = () => running.metrics.valueOf("ingest_records_dropped_total", { reason: "queue-full" });
  await expect.poll(dropped).toBe(1);
  await expect.poll(running.letters).toHaveLength(1);
});

if (!hasOpenssl) console.log("left out: syslog over TLS (no openssl to make certificates with)");

async function tls(running: Running, client: { cert?: Buffer; key?: Buffer } = {}): Promise<TLSSocket> {
  const socket = connectTls({
    port: portOf(running, "syslog-tls"),
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ...client,
  });
  socket.on("error", () => {});
  await Promise.race([once(socket, "secureConnect"), once(socket, "close")]);
  return socket;
}

const nameOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject?.CN;

test.runIf(hasOpenssl)("F46 a renewed certificate is used for new connections, and the open ones go on", async () => {
  await using keys = await pki();
  const clock = settableClock(Date.now());
  await using running = await run({ config: { syslog: { tls: { port: 0, tls: keys.tls } } }, clock });
  const before = await tls(running);
  expect(nameOf(before)).toBe("server");
  const renewed = await keys.make("renewed");
  await copyFile(renewed.cert, keys.tls.certificatePath);
  await copyFile(renewed.key, keys.tls.keyPath);
  await clock.advance(10_000);
  await expect.poll(() => running.lines.map(({ msg }) => msg)).toContain("a new certificate is used");
  const after = await tls(running);
  expect(nameOf(after)).toBe("renewed");
  before.write(counted(snare(1)));
  after.write(counted(snare(2)));
  await expect.poll(() => equation(running)).toMatchObject({ events: 2 });
  await writeFile(keys.tls.certificatePath, "broken");
  await clock.advance(10_000);
  await expect.poll(() => running.lines.map(({ msg }) => msg)).toContain("a changed certificate cannot be used");
  const last = await tls(running);
  expect(nameOf(last)).toBe("renewed");
  for (const socket of [before, after, last]) socket.destroy();
});

test.runIf(hasOpenssl)(
  "F46 the end of a certificate is told 14 days ahead, and after it nobody is served",
  async () => {
    await using keys = await pki();
    const clock = settableClock(Date.now() + 355 * 86_400_000);
    await using running = await run({ config: { syslog: { tls: { port: 0, tls: keys.tls } } }, clock });
    expect(running.lines.map(({ msg }) => msg)).toContain("a certificate expires soon");
    expect(running.service.health().state).toBe("ok");
    clock.setWall(clock.now() + 20 * 86_400_000);
    expect(running.service.health()).toEqual({
      state: "degraded",
      reasons: ["the certificate of syslog-tls has expired"],
    });
    const socket = await tls(running);
    socket.write(counted(snare(1)));
    await expect.poll(() => socket.destroyed).toBe(true);
    expect(await running.metrics.valueOf("ingest_requests_refused_total", { reason: "certificate-expired" })).toBe(1);
    expect(await running.events()).toEqual([]);
  },
);

test.runIf(hasOpenssl)(
  "a sender without a certificate is refused where one is asked for, and plain text is",
  async () => {
    await using keys = await pki();
    const sender = await keys.make("sender-7");
    const config = { syslog: { tls: { port: 0, tls: { ...keys.tls, clientCaPath: sender.cert } } } };
    await using running = await run({ config });
    const known = await tls(running, { cert: await readFile(sender.cert), key: await readFile(sender.key) });
    known.write(counted(snare(1)));
    await expect.poll(() => equation(running)).toMatchObject({ events: 1 });
    expect(running.service.sources()).toMatchObject([{ transport: "syslog-tls", token: "sender-7" }]);
    const stranger = await tls(running);
    stranger.write(counted(snare(2)));
    await expect.poll(() => stranger.destroyed).toBe(true);
    const plain = await tcp(running, "syslog-tls");
    plain.write(counted(snare(3)));
    await once(plain.resume(), "close");
    await expect.poll(() => running.metrics.valueOf("ingest_requests_refused_total", { reason: "tls" })).toBe(2);
    expect(await equation(running)).toMatchObject({ events: 1 });
  },
);

test.runIf(hasOpenssl)("a certificate that cannot be used stops the start, and closes what was opened", async () => {
  await using keys = await pki();
  const other = await keys.make("other");
  const config = { syslog: { tcp: { port: 0 }, tls: { port: 0, tls: { ...keys.tls, keyPath: other.key } } } };
  await expect(run({ config })).rejects.toMatchObject({ code: "ingest.certificate-unusable" });
});

const LOGGER = "/usr/bin/logger";
if (!existsSync(LOGGER)) console.log("left out: the logger of util-linux (not installed)");

test.runIf(existsSync(LOGGER)).each([
  ["UDP, RFC 5424", ["--udp", "--rfc5424"], "syslog-udp"],
  ["UDP, RFC 3164", ["--udp", "--rfc3164"], "syslog-udp"],
  ["TCP with octet counts", ["--tcp", "--octet-count"], "syslog-tcp"],
  ["TCP with line ends", ["--tcp", "--rfc3164"], "syslog-tcp"],
] as const)("util-linux's logger over %s", async (_, args, listener) => {
  await using running = await run({ config: { syslog: { tcp: { port: 0 }, udp: { port: 0 } } } });
  const where = ["--server", "127.0.0.1", "--port", String(portOf(running, listener)), "--size", "8KiB"];
  await exec(LOGGER, [...where, ...args, "--tag", "nxlog", winlogbeat(7)]);
  await expect.poll(() => recordIds(running)).toEqual(["7"]);
});

const RSYSLOGD = "/usr/sbin/rsyslogd";
if (!existsSync(RSYSLOGD)) console.log("left out: rsyslog (not installed)");

test.runIf(existsSync(RSYSLOGD)).each([
  ["octet-counted", "tcp", "syslog-tcp"],
  ["traditional", "tcp", "syslog-tcp"],
  ["traditional", "udp", "syslog-udp"],
] as const)("rsyslog forwards lines of a file, %s over %s", async (framing, protocol, listener) => {
  await using running = await run({ config: { syslog: { tcp: { port: 0 }, udp: { port: 0 } } } });
  const folder = await mkdtemp(join(tmpdir(), "culprit-rsyslog-"));
  const input = join(folder, "events.json");
  await writeFile(input, `${[1, 2, 3].map((n) => winlogbeat(n)).join("\n")}\n`);
  const tcpFraming = protocol === "tcp" ? ` tcp_framing="${framing}"` : "";
  const config = [
    `global(workDirectory="${folder}" maxMessageSize="64k")`,
    'module(load="imfile" mode="polling" pollingInterval="1")',
    `input(type="imfile" file="${input}" tag="winevents:")`,
    `action(type="omfwd" target="127.0.0.1" port="${portOf(running, listener)}" protocol="${protocol}"${tcpFraming} template="RSYSLOG_SyslogProtocol23Format")`,
  ];
  await writeFile(join(folder, "rsyslog.conf"), `${config.join("\n")}\n`);
  const daemon = spawn(RSYSLOGD, ["-n", "-f", join(folder, "rsyslog.conf"), "-i", join(folder, "pid")], {
    stdio: "ignore",
  });
  try {
    await expect.poll(async () => (await recordIds(running)).sort(), { timeout: 15_000 }).toEqual(["1", "2", "3"]);
  } finally {
    daemon.kill("SIGKILL");
    await once(daemon, "exit");
    await rm(folder, { recursive: true });
  }
});
