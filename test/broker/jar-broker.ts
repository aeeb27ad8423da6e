/** Kafka brokers in KRaft mode as processes of this test: their own ports, their own folders, gone with the test. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KafkaJars } from "./kafka-jars.ts";

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
const HEAP_MIB = 384;

export interface Broker {
  /** `127.0.0.1:port`, for clients. */
  readonly address: string;
  /** The listener that asks for TLS and a user, where there is one: `localhost:port`. */
  readonly secureAddress: string | undefined;
  /** The process that runs now. */
  readonly pid: number;
  /** Ends it without a chance to say goodbye. */
  kill(): Promise<void>;
  /** Stops or continues the process where it stands. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Starts it again after `kill` with its data, on the same port unless told. */
  restart(port?: number): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Who may use the listener that asks for a user, by PLAIN or SCRAM-SHA-512. */
export const BROKER_USER = { username: "culprit", password: "not-a-secret" } as const;

/** Starts a broker; resolves once clients can connect. `keystore` is a PEM file, key and certificate: it gets a listener more. */
export async function startJarBroker(jars: KafkaJars, keystore?: string): Promise<Broker> {
  const [port = 0, controller = 0, securePort = 0] = await freePorts(3);
  const secure = keystore === undefined ? undefined : { port: securePort, keystore };
  return startNode(jars, { cluster: clusterId(), id: 1, port, controllers: [controller], secure });
}

/**
 * Starts so many brokers that make one cluster. What they keep of their own has as many copies as there are brokers, and a
 * write needs all of these but one.
 */
export async function startJarBrokers(jars: KafkaJars, count: number): Promise<readonly Broker[]> {
  const ports = await freePorts(2 * count);
  const controllers = ports.slice(count);
  const cluster = clusterId();
  const starting = ports
    .slice(0, count)
    .map((port, n) => startNode(jars, { cluster, id: n + 1, port, controllers, secure: undefined }));
  const settled = await Promise.allSettled(starting);
  const started = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map((broker) => broker.stop()));
  throw failed.reason;
}

interface Node {
  readonly cluster: string;
  readonly id: number;
  readonly port: number;
  readonly controllers: readonly number[];
  readonly secure: { readonly port: number; readonly keystore: string } | undefined;
}

async function startNode({ java, classpath }: KafkaJars, node: Node): Promise<Broker> {
  const dir = mkdtempSync(join(tmpdir(), "culprit-broker-"));
  let { port } = node;
  const properties = join(dir, "server.properties");
  const configure = (): void => writeFileSync(properties, propertiesOf(dir, { ...node, port }));
  configure();
  writeFileSync(join(dir, "log4j2.yaml"), LOG_CONFIG);
  const options = [`-Dlog4j2.configurationFile=${join(dir, "log4j2.yaml")}`, "-cp", classpath];
  const format = ["kafka.tools.StorageTool", "format", "-t", node.cluster, "-c", properties, "--add-scram", SCRAM_USER];
  try {
    await promisify(execFile)(java, ["-Xmx128m", "-XX:TieredStopAtLevel=1", ...options, ...format]);
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
    get address() {
      return `127.0.0.1:${port}`;
    },
    secureAddress: node.secure === undefined ? undefined : `localhost:${node.secure.port}`,
    get pid() {
      return child?.pid ?? -1;
    },
    kill: () => end("SIGKILL"),
    signal: (name) => void child?.kill(name),
    restart(elsewhere) {
      port = elsewhere ?? port;
      configure();
      return start();
    },
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

function propertiesOf(dir: string, { id, port, controllers, secure }: Node): string {
  const copies = String(controllers.length);
  const inSync = String(Math.max(1, controllers.length - 1));
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllers[id - 1]}`;
  const secured = secure === undefined ? "" : `,SECURE://localhost:${secure.port}`;
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": String(id),
    "controller.quorum.voters": controllers.map((at, n) => `${n + 1}@127.0.0.1:${at}`).join(),
    listeners: listeners + secured,
    "advertised.listeners": listeners + secured,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
    ...(secure === undefined ? {} : secureProperties(secure.keystore)),
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(dir, "data"),
    "auto.create.topics.enable": "false",
    "min.insync.replicas": inSync,
    // A lost broker is noticed sooner than in production; a lone one is never taken for lost because the machine is slow.
    ...(controllers.length === 1
      ? {}
      : { "broker.session.timeout.ms": "5000", "broker.heartbeat.interval.ms": "1000" }),
    "message.max.bytes": "17825792",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "2",
    "offsets.topic.replication.factor": copies,
    "transaction.state.log.num.partitions": "2",
    "transaction.state.log.replication.factor": copies,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": copies,
    "share.coordinator.state.topic.min.isr": inSync,
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.io.threads": "4",
    "num.network.threads": "2",
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

const { username, password } = BROKER_USER;
const SCRAM_USER = `SCRAM-SHA-512=[name=${username},password=${password}]`;

function secureProperties(keystore: string): Readonly<Record<string, string>> {
  const modules = "org.apache.kafka.common.security";
  return {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.secure.ssl.keystore.type": "PEM",
    "listener.name.secure.ssl.keystore.location": keystore,
    "listener.name.secure.plain.sasl.jaas.config": `${modules}.plain.PlainLoginModule required user_${username}="${password}";`,
    "listener.name.secure.scram-sha-512.sasl.jaas.config": `${modules}.scram.ScramLoginModule required;`,
  };
}

const LOG_CONFIG = `Configuration:
  status: ERROR
  Appenders: { Console: { name: out, PatternLayout: { pattern: "%d %p %c{1} %m%n" } } }
  Loggers: { Root: { level: WARN, AppenderRef: { ref: out } } }
`;

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
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
