/**
 * The demo outage, told in Winlogbeat's form and sent through the real receiver: on HV11 the non-paged pool runs out, services
 * stop answering, the cluster's hang detection stops the node with 0x9E, HV12 and HV13 take over, the node comes back.
 */
import { Fault, isoOf, MINUTE_MS, SECOND_MS } from "@culprit/model";

interface DemoEvent {
  readonly atMs: number;
  readonly host: string;
  readonly channel?: string;
  readonly provider: string;
  readonly id: number;
  readonly level: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly message: string;
}

const NODE = "hv11.contoso.example";
const PEERS = ["hv12.contoso.example", "hv13.contoso.example"] as const;
const CLUSTERING = "Microsoft-Windows-FailoverClustering";
const BUGCHECK = "0x0000009e (0xffffa50812345080, 0x000000000000003c, 0x000000000000000a, 0x0000000000000000)";

/** Times are relative to the crash. */
const STORY: readonly DemoEvent[] = [
  {
    atMs: -40 * MINUTE_MS,
    host: NODE,
    provider: "EventLog",
    id: 6013,
    level: "information",
    data: { param5: "864000" },
    message: "The system uptime is 864000 seconds.",
  },
  {
    atMs: -14 * MINUTE_MS,
    host: NODE,
    provider: "srv",
    id: 2019,
    level: "error",
    data: { param1: "\\Device\\LanmanServer" },
    message: "The server was unable to allocate from the system nonpaged pool because the pool was empty.",
  },
  {
    atMs: -12 * MINUTE_MS,
    host: NODE,
    provider: "srv",
    id: 2019,
    level: "error",
    data: { param1: "\\Device\\LanmanServer" },
    message: "The server was unable to allocate from the system nonpaged pool because the pool was empty.",
  },
  {
    atMs: -8 * MINUTE_MS,
    host: NODE,
    provider: "Service Control Manager",
    id: 7011,
    level: "error",
    data: { param1: "30000", param2: "LanmanServer" },
    message:
      "A timeout (30000 milliseconds) was reached while waiting for a transaction response from the LanmanServer service.",
  },
  {
    atMs: -5 * MINUTE_MS,
    host: NODE,
    provider: "Service Control Manager",
    id: 7011,
    level: "error",
    data: { param1: "30000", param2: "Winmgmt" },
    message:
      "A timeout (30000 milliseconds) was reached while waiting for a transaction response from the Winmgmt service.",
  },
  ...PEERS.map((host) => ({
    atMs: 8 * SECOND_MS,
    host,
    provider: CLUSTERING,
    id: 1135,
    level: "critical",
    data: { NodeName: "HV11" },
    message: "Cluster node 'HV11' was removed from the active failover cluster membership.",
  })),
  {
    atMs: 192 * SECOND_MS,
    host: NODE,
    provider: "Microsoft-Windows-Kernel-General",
    id: 12,
    level: "information",
    data: { MajorVersion: "10" },
    message: "The operating system started.",
  },
  {
    atMs: 196 * SECOND_MS,
    host: NODE,
    provider: "Microsoft-Windows-Kernel-Power",
    id: 41,
    level: "critical",
    data: {
      BugcheckCode: "158",
      BugcheckParameter1: "0xffffa50812345080",
      BugcheckParameter2: "0x3c",
      BugcheckParameter3: "0xa",
      BugcheckParameter4: "0x0",
      SleepInProgress: "0",
      PowerButtonTimestamp: "0",
    },
    message: "The system has rebooted without cleanly shutting down first.",
  },
  {
    atMs: 198 * SECOND_MS,
    host: NODE,
    provider: "EventLog",
    id: 6005,
    level: "information",
    message: "The Event log service was started.",
  },
  {
    atMs: 215 * SECOND_MS,
    host: NODE,
    provider: "Microsoft-Windows-WER-SystemErrorReporting",
    id: 1001,
    level: "error",
    data: { param1: BUGCHECK, param2: "C:\\Windows\\MEMORY.DMP", param3: "00000000-0000-0000-0000-000000000001" },
    message: `The computer has rebooted from a bugcheck. The bugcheck was: ${BUGCHECK}. A dump was saved in: C:\\Windows\\MEMORY.DMP.`,
  },
  {
    atMs: 260 * SECOND_MS,
    host: NODE,
    provider: "Service Control Manager",
    id: 7036,
    level: "information",
    data: { param1: "Cluster Service", param2: "running" },
    message: "The Cluster Service service entered the running state.",
  },
];

/** The story ends a moment ago, so that a page made of it is about now. */
const END_MS = 262 * SECOND_MS;

/**
 * The network was part of the outage: what was logged before this comes in one go, as forwarders catch up. It leaves the
 * engine a few seconds of its wait, in which it finds that all of this is one story.
 */
const CAUGHT_UP_MS = END_MS - 42 * SECOND_MS;
const DELIVERY_MS = 2 * SECOND_MS;

/** The story as Winlogbeat documents. Units: `crashAt` and the stamps are instants. */
export function demoDocuments(crashAt: number): readonly object[] {
  const next = new Map<string, number>();
  return STORY.map(({ atMs, host, channel = "System", provider, id, level, data = {}, message }) => {
    const recordId = (next.get(host) ?? 48_120) + 1;
    next.set(host, recordId);
    const takenMs = Math.max(atMs, CAUGHT_UP_MS) + DELIVERY_MS;
    return {
      "@timestamp": isoOf(crashAt + atMs),
      event: { code: String(id), kind: "event", provider, created: isoOf(crashAt + takenMs) },
      host: { name: host },
      log: { level },
      message,
      winlog: {
        api: "wineventlog",
        channel,
        computer_name: host,
        event_id: String(id),
        provider_name: provider,
        record_id: recordId,
        event_data: data,
      },
      agent: { type: "winlogbeat", version: "8.19.0" },
      ecs: { version: "8.0.0" },
    };
  });
}

/** Sends the story to a receiver. Errors: `demo.refused` with the answer. */
export async function playDemo(
  url: string,
  { now, tell }: { readonly now: number; readonly tell: (line: string) => void },
): Promise<void> {
  const documents = demoDocuments(now - END_MS);
  tell(
    `demo       ${documents.length} events of three hosts, sent to ${url}/_bulk as Winlogbeat would; the page follows`,
  );
  const body = documents
    .map((document) => `{"create":{"_index":"winlogbeat"}}\n${JSON.stringify(document)}\n`)
    .join("");
  const response = await fetch(`${url}/_bulk`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body,
  });
  if (!response.ok) throw new Fault("demo.refused", `${url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
