/** One Kafka broker in KRaft mode as a process of this test: its own ports, its own folder, gone with the test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KafkaJars } from "./kafka-jars.ts";

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
const HEAP_MIB = 384;

export interface Broker {
  /** `127.0.0.1:port`, for clients. */
  readonly address: string;
  /** The process that runs now. */
  readonly pid: number;
  /** Ends it without a chance to say goodbye. */
  kill(): Promise<void>;
  /** Stops or continues the process where it stands. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Starts it again after `kill`, on the same ports and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a broker; resolves once clients can connect. */
export async function startJarBroker({ java, classpath }: KafkaJars): Promise<Broker> {
  const dir = mkdtempSync(join(tmpdir(), "culprit-broker-"));
  const [port, controllerPort] = await freePorts();
  const properties = join(dir, "server.properties");
  writeFileSync(properties, propertiesOf({ dir, port, controllerPort }));
  writeFileSync(join(dir, "log4j2.yaml"), LOG_CONFIG);
  const options = [`-Dlog4j2.configurationFile=${join(dir, "log4j2.yaml")}`, "-cp", classpath];
  const format = ["kafka.tools.StorageTool", "format", "--standalone", "-t", clusterId(), "-c", properties];
  try {
    execFileSync(java, ["-Xmx128m", "-XX:TieredStopAtLevel=1", ...options, ...format], { stdio: "pipe" });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }

  const logFile = join(dir, "broker.log");
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const tuned = [
      `-Xms${HEAP_MIB}m`,
      `-Xmx${HEAP_MIB}m`,
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-Xshare:auto",
    ];
    const started = spawn(java, [...tuned, ...options, "kafka.Kafka", properties], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    running.add(started);
    started.once("exit", () => running.delete(started));
    const log = createWriteStream(logFile, { flags: "a" });
    started.stdout?.pipe(log, { end: false });
    started.stderr?.pipe(log, { end: false });
    await accepting(port, started, () => readFileSync(logFile, "utf8").slice(-4_000));
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    const timer = setTimeout(() => ending.kill("SIGKILL"), STOP_TIMEOUT_MS);
    ending.kill(signal);
    await ended;
    clearTimeout(timer);
  };
  try {
    await start();
  } catch (error) {
    await end("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? -1;
    },
    kill: () => end("SIGKILL"),
    signal: (name) => void child?.kill(name),
    restart: start,
    async stop() {
      // Its data goes with it, so there is nothing to close in order.
      await end("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A cluster id is 16 bytes in base64 for URLs; one that begins with a dash would be taken for an option. */
function clusterId(): string {
  return Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url").replace(/^-/, "A");
}

function propertiesOf(at: { dir: string; port: number; controllerPort: number }): string {
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.bootstrap.servers": `127.0.0.1:${at.controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(at.dir, "data"),
    "auto.create.topics.enable": "false",
    "message.max.bytes": "17825792",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "2",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "2",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.io.threads": "4",
    "num.network.threads": "2",
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

const LOG_CONFIG = `Configuration:
  status: ERROR
  Appenders: { Console: { name: out, PatternLayout: { pattern: "%d %p %c{1} %m%n" } } }
  Loggers: { Root: { level: WARN, AppenderRef: { ref: out } } }
`;

/** Two ports that were free a moment ago. */
async function freePorts(): Promise<readonly [number, number]> {
  const servers = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}

async function accepting(port: number, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await connects(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the broker ended:\n${log()}`);
    if (performance.now() > deadline)
      throw new Error(`the broker is not ready after ${READY_TIMEOUT_MS} ms:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
