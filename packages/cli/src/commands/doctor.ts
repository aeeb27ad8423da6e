/** `culprit doctor`: goes through what has to be right before a page can come, and says of each step that fails what to do. */
import { access, constants, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { openKafkaBus } from "@culprit/bus";
import { Fault, plainLine } from "@culprit/model";
import { type Config, configFileOf, loadWholeConfig } from "../config.ts";
import { EXIT } from "../exit-code.ts";
import { kafkaOptions } from "../kafka-config.ts";
import { configuredFacts, configuredKnowledge, urlOf } from "../service-parts.ts";

export interface DoctorOptions {
  readonly config?: string;
  readonly data: string;
}

interface Finding {
  readonly state: "ok" | "warn" | "fail";
  readonly text: string;
}

const NODE_MAJOR_MIN = 24;
/** The embedded log keeps space for its commits; below this it soon refuses events. */
const FREE_MIN_BYTES = 1024 ** 3;
const PROBE_TIMEOUT_MS = 5_000;

/** Runs the command. Returns the exit code: 0 when nothing failed, 2 else. */
export async function runDoctor(options: DoctorOptions, print: (text: string) => void): Promise<number> {
  let failed = false;
  const step = async (name: string, look: () => Promise<Finding> | Finding): Promise<void> => {
    const { state, text } = await finding(look);
    failed ||= state === "fail";
    for (const [i, line] of text.split("\n").entries())
      print(`${(i === 0 ? state : "").padEnd(6)}${(i === 0 ? name : "").padEnd(11)}${plainLine(line)}`);
  };
  let config: Config | undefined;
  await step("node", nodeFinding);
  await step("config", () => {
    const file = configFileOf(options.config);
    config = loadWholeConfig(options.config);
    return { state: "ok", text: file ?? "none; defaults and the environment" };
  });
  if (config !== undefined) await wholeSteps(config, options, step);
  print(failed ? "repair what failed, from the top" : "nothing failed");
  return failed ? EXIT.usage : EXIT.done;
}

async function wholeSteps(
  config: Config,
  { data }: DoctorOptions,
  step: (name: string, look: () => Promise<Finding> | Finding) => Promise<void>,
): Promise<void> {
  await step("knowledge", async () => {
    const { program } = await configuredKnowledge(config);
    return { state: "ok", text: `${program.playbooks.size} playbooks, ${program.detections.size} detections` };
  });
  await step("topology", async () => {
    const facts = await configuredFacts(config);
    const text = facts.length === 0 ? "no file; clusters, guests and domains are learned" : `${facts.length} facts`;
    return { state: "ok", text };
  });
  await step("log", () => (config.kafka === undefined ? directoryFinding(data) : kafkaFinding(config.kafka)));
  const receivers = urlOf(config.ingest);
  await step("receivers", () => portFinding(receivers));
  await step("feed", () => feedFinding(receivers));
  await step("console", () => portFinding(urlOf(config.console)));
  await step("targets", () => targetsFinding(config));
}

async function finding(look: () => Promise<Finding> | Finding): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Fault) return { state: "fail", text: error.message };
    throw error;
  }
}

function nodeFinding(): Finding {
  const fit = Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN;
  return { state: fit ? "ok" : "fail", text: `${process.versions.node}${fit ? "" : `; ${NODE_MAJOR_MIN} or later`}` };
}

async function directoryFinding(directory: string): Promise<Finding> {
  const free = await statfs(directory).catch(() => undefined);
  if (free === undefined) return { state: "ok", text: `${directory} is not there yet; culprit up makes it` };
  const writable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) return { state: "fail", text: `${directory} cannot be written by this user` };
  const bytes = free.bavail * free.bsize;
  const text = `${directory}, ${(bytes / 1024 ** 3).toFixed(1)} GiB free`;
  return bytes < FREE_MIN_BYTES
    ? { state: "warn", text: `${text}; events are refused when it is full` }
    : { state: "ok", text };
}

async function kafkaFinding(kafka: NonNullable<Config["kafka"]>): Promise<Finding> {
  const { create: _nothingIsMade, ...options } = kafkaOptions(kafka);
  await using _bus = await openKafkaBus(options);
  return { state: "ok", text: `${kafka.brokers.join(", ")}: topics fit` };
}

/** Whether a Culprit answers there, or something else has the port. */
async function portFinding(url: string): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url);
  if (!(await isListening(hostname.replace(/^\[|\]$/g, ""), Number(port))))
    return { state: "warn", text: `nothing listens on ${url}; culprit up is not running, or not here` };
  if (protocol === "https:") return { state: "ok", text: `${url} is listened on (its certificate was not looked at)` };
  const answer = await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  if (answer === undefined) return { state: "fail", text: `${url} is listened on by something that is not Culprit` };
  const text = plainLine(await answer.text());
  return answer.ok ? { state: "ok", text: url } : { state: "fail", text: `${url} answers ${answer.status}: ${text}` };
}

/** What has come since the receivers started, by their own count. */
async function feedFinding(url: string): Promise<Finding> {
  const answer = await fetch(new URL("/metrics", url), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  if (answer?.ok !== true) return { state: "warn", text: "not known: the receivers do not tell" };
  const text = await answer.text();
  const accepted = sumOf(text, "culprit_ingest_records_accepted_total");
  const unread = sumOf(text, "culprit_ingest_records_outcome_total", 'outcome="dead-letter"');
  const silent = sumOf(text, "culprit_ingest_sources_silent");
  const says = `${accepted} records from ${sumOf(text, "culprit_ingest_sources_known")} senders, ${unread} of them not readable, ${silent} senders silent`;
  if (accepted === 0) return { state: "warn", text: "no record has come since the start; culprit demo sends some" };
  return { state: unread * 10 > accepted || silent > 0 ? "warn" : "ok", text: says };
}

/** The sum over a metric's series, in Prometheus' text form; `label` keeps those that have it. */
function sumOf(metrics: string, name: string, label = ""): number {
  const lines = metrics.split("\n").filter((line) => /^[{ ]/.test(line.slice(name.length)) && line.startsWith(name));
  return lines
    .filter((line) => line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

function isListening(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("timeout", () => resolve(false));
  }).finally(() => socket.destroy());
}

function targetsFinding({ notify }: Config): Finding {
  const names = notify.targets.map(({ name, kind }) => `${name} (${kind})`);
  if (names.length === 0)
    return { state: "warn", text: "none: pages go to the terminal of notify; set notify.targets" };
  return { state: "ok", text: `${names.join(", ")}; culprit send-test NAME tries one` };
}
