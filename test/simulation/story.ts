/** What happened to the machines of the simulation, as records that a sender has to bring in. */
import { eventIdentity, type Fact, foldHost, namedData, positionalData, type WindowsEvent } from "@culprit/model";

export const START = Date.parse("2026-03-10T02:00:00Z");
const MINUTE_MS = 60_000;

/** Which nodes make a cluster is known: what is learned on the way moves incidents from a host's key to its cluster's. */
export const FACTS: readonly Fact[] = [
  ["hv11", "CLU1"],
  ["hv12", "CLU1"],
  ["hv21", "CLU2"],
  ["hv22", "CLU2"],
].map(([node, cluster]) => ({
  kind: "member-of-cluster",
  from: `${node}.contoso.example`,
  to: cluster ?? "",
  source: "file",
}));

type Values = Readonly<Record<string, string>> | readonly string[];

/** Two outages of clusters that have nothing to do with each other, and a service that ends again and again. */
export function story(): readonly WindowsEvent[] {
  let recordId = 100;
  const event = (minute: number, computer: string, provider: string, eventId: number, data: Values): WindowsEvent => {
    const host = foldHost(`${computer}.contoso.example`);
    if (host === undefined) throw new RangeError(computer);
    recordId += 1;
    return {
      provider,
      channel: "System",
      computer: `${computer}.contoso.example`,
      host,
      eventId,
      level: 2,
      timeCreated: START + minute * MINUTE_MS,
      timeQuality: "event",
      recordId: String(recordId),
      data: Array.isArray(data) ? positionalData(data) : namedData(Object.entries(data)),
    };
  };
  const hang = (minute: number, node: string, peer: string): WindowsEvent[] => [
    event(minute, node, "srv", 2019, ["\\Device\\LanmanServer"]),
    event(minute + 14, peer, "Microsoft-Windows-FailoverClustering", 1135, { NodeName: node }),
    event(minute + 18, node, "Microsoft-Windows-Kernel-General", 12, {}),
    event(minute + 18.1, node, "Microsoft-Windows-Kernel-Power", 41, {
      BugcheckCode: "158",
      BugcheckParameter1: "0x1",
      BugcheckParameter2: "0x3c",
      BugcheckParameter3: "0xa",
      BugcheckParameter4: "0x0",
    }),
  ];
  const crash = (minute: number): WindowsEvent =>
    event(minute, "ap07", "Service Control Manager", 7031, [
      "Contoso Orders",
      "1",
      "60000",
      "1",
      "Restart the service",
    ]);
  return [...hang(0, "hv11", "hv12"), ...hang(3, "hv21", "hv22"), ...[5, 7, 9, 11].map(crash)].sort(
    (a, b) => a.timeCreated - b.timeCreated,
  );
}

/** A record as ingest stores it. */
export function arrivalOf(event: WindowsEvent, receivedAt: number): object {
  return { kind: "event", id: eventIdentity(event), receivedAt, receiver: "simulation", format: "none", event };
}
