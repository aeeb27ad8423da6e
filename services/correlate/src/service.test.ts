import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Bus, openEmbeddedBus, openTable } from "@culprit/bus";
import {
  actionKey,
  contentId,
  eventIdentity,
  foldHost,
  Incident,
  namedData,
  positionalData,
  TOPICS,
  type WindowsEvent,
} from "@culprit/model";
import { compileKnowledge, type Knowledge, NO_TABLES } from "@culprit/rules";
import { createMetrics, type SettableClock, settableClock, silentLogger } from "@culprit/runtime";
import { expect, test } from "vitest";
import { MATCH_GROUP, start } from "./service.ts";

const START = Date.parse("2026-03-10T02:00:00Z");

/** The real knowledge, without its code tables: nothing here needs them. `edit` changes or leaves out playbooks. */
function knowledge(edit: (file: string, text: string) => string | undefined = (_, text) => text): Knowledge {
  const dir = fileURLToPath(new URL("../../../packages/knowledge/", import.meta.url));
  const files = (folder: string) =>
    readdirSync(dir + folder)
      .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml"))
      .flatMap((name) => {
        const text = edit(name, readFileSync(`${dir}${folder}/${name}`, "utf8"));
        return text === undefined ? [] : [{ file: name, text }];
      });
  return compileKnowledge({ detections: files("detections"), playbooks: files("playbooks"), tables: NO_TABLES })
    .knowledge;
}

let nextRecord = 1;

function event(
  offsetMs: number,
  computer: string,
  provider: string,
  eventId: number,
  data: Record<string, string> | string[],
): WindowsEvent {
  const host = foldHost(computer);
  if (host === undefined) throw new RangeError(computer);
  nextRecord += 1;
  return {
    provider,
    channel: "System",
    computer,
    host,
    eventId,
    level: 2,
    timeCreated: START + offsetMs,
    timeQuality: "event",
    recordId: String(nextRecord),
    data: Array.isArray(data) ? positionalData(data) : namedData(Object.entries(data)),
  };
}

/** A node whose pool runs out and which its cluster's hang detection then stops. */
function outage(node: string, peer: string): WindowsEvent[] {
  return [
    event(-840_000, node, "srv", 2019, ["\\Device\\LanmanServer"]),
    event(8_000, peer, "Microsoft-Windows-FailoverClustering", 1135, { NodeName: node.split(".")[0] ?? node }),
    event(240_000, node, "Microsoft-Windows-Kernel-General", 12, {}),
    event(244_000, node, "Microsoft-Windows-Kernel-Power", 41, {
      BugcheckCode: "158",
      BugcheckParameter1: "0x1",
      BugcheckParameter2: "0x3c",
      BugcheckParameter3: "0xa",
      BugcheckParameter4: "0x0",
    }),
  ];
}

async function send(bus: Bus, events: readonly WindowsEvent[]): Promise<void> {
  await bus.publish(
    events.map((one) => {
      const arrival = {
        kind: "event",
        id: eventIdentity(one),
        receivedAt: Math.max(START + 300_000, one.timeCreated),
        receiver: "test",
        format: "test",
        event: one,
      };
      return { topic: TOPICS.events.name, key: one.host, value: arrival };
    }),
  );
}

async function incidentsIn(bus: Bus): Promise<Incident[]> {
  const table = await openTable(bus, TOPICS.incidents.name, ({ value }) => Incident.parse(value));
  const incidents = [...table.entries()].map(([, incident]) => incident);
  await table.close();
  return incidents;
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 200; i += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("nothing came");
}

function parts(bus: Bus, clock = settableClock(START + 300_000)) {
  return { bus, knowledge: knowledge(), clock, logger: silentLogger, metrics: createMetrics() };
}

test("events on the log become one incident with its cause ranked first", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now() });
  const service = await start(parts(bus, clock));
  await send(bus, outage("hv11.contoso.com", "hv12.contoso.com"));
  const incident = await until(async () => {
    await clock.advance(30_000);
    return (await incidentsIn(bus)).find(({ playbook }) => playbook === "cluster-hang-9e");
  });
  expect(incident.causes[0]?.id).toBe("nonpaged-pool-exhausted");
  expect(incident.scope.map(({ id }) => id)).toEqual(expect.arrayContaining(["hv11.contoso.com", "hv12.contoso.com"]));
  await service.stop();
});

test("a restart between two halves of a story changes nothing: same incident, same id", async () => {
  const story = outage("n1.contoso.com", "n2.contoso.com");
  const play = async (cutAt: number | undefined): Promise<Incident[]> => {
    const clock = settableClock(START + 300_000);
    await using bus = await openEmbeddedBus({ now: () => clock.now() });
    let service = await start(parts(bus, clock));
    await send(bus, story.slice(0, cutAt));
    if (cutAt !== undefined) {
      await clock.advance(2_000);
      await service.stop();
      service = await start(parts(bus, clock));
      await send(bus, story.slice(cutAt));
    }
    const found = await until(async () => {
      await clock.advance(60_000);
      const incidents = await incidentsIn(bus);
      return incidents.some(({ playbook, settled }) => playbook === "cluster-hang-9e" && settled)
        ? incidents
        : undefined;
    });
    await service.stop();
    return found;
  };
  const essence = (incidents: Incident[]) =>
    incidents
      .map(({ id, playbook, causes, parent }) => ({ id, playbook, cause: causes[0]?.id, parent: parent !== undefined }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  const whole = essence(await play(undefined));
  for (const cutAt of [1, 2, 3]) expect(essence(await play(cutAt))).toEqual(whole);
});

test("an event that a person takes out no longer counts, wherever its incident is held", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now(), partitions: () => 3 });
  const service = await start(parts(bus, clock));
  await send(bus, outage("hv11.contoso.com", "hv12.contoso.com"));
  const revision = (fits: (incident: Incident) => boolean): Promise<Incident> =>
    until(async () => {
      await clock.advance(30_000);
      return (await incidentsIn(bus)).find((incident) => incident.playbook === "cluster-hang-9e" && fits(incident));
    });
  const before = await revision(({ causes }) => causes[0]?.id === "nonpaged-pool-exhausted");
  const event = before.timeline.find(({ eventId }) => eventId === 2019)?.event;
  const action = { kind: "unlink", id: contentId("1"), incident: before.id, at: START, who: "ada", event };
  await bus.publish([
    { topic: TOPICS.actions.name, key: "nonsense", value: { kind: "nonsense" } },
    { topic: TOPICS.actions.name, key: actionKey({ incident: before.id, id: action.id }), value: action },
  ]);
  const after = await revision(({ timeline }) => timeline.every((entry) => entry.event !== event));
  expect(after.id).toBe(before.id);
  expect(after.revision).toBeGreaterThan(before.revision);
  expect(after.causes[0]?.id).not.toBe("nonpaged-pool-exhausted");
  await service.stop();
});

test("B40 what is no arrival goes to the dead letters and the rest goes on", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now() });
  const service = await start(parts(bus, clock));
  await bus.publish([{ topic: TOPICS.events.name, key: "x", value: { kind: "nonsense" } }]);
  await send(bus, outage("hv11.contoso.com", "hv12.contoso.com"));
  const letters: unknown[] = [];
  const follower = await bus.follow({
    topic: TOPICS["dead-letters"].name,
    handle: (batch) => void letters.push(...batch.messages.map(({ value }) => value)),
  });
  await until(async () => {
    await clock.advance(30_000);
    return letters.length === 1 && (await incidentsIn(bus)).length > 0 ? true : undefined;
  });
  expect(letters[0]).toMatchObject({ stage: "match", reason: "match.unreadable-arrival" });
  await follower.close();
  await service.stop();
});

test("P3 one page of hosts whose records lie in different partitions, and a quiet partition holds nobody up", async () => {
  const clock = settableClock(START + 300_000);
  const partitions = (topic: string): number => (topic === TOPICS.events.name || topic === TOPICS.signals.name ? 4 : 1);
  await using bus = await openEmbeddedBus({ now: () => clock.now(), partitions });
  const service = await start(parts(bus, clock));
  // Taken by its forwarder half an hour ago and sent only now; then this host is silent, and alone in its partition.
  const late = { ...event(-1_800_000, "away.fabrikam.example", "EventLog", 6013, []), receivedAt: START - 1_700_000 };
  await send(bus, [late, ...outage("hv11.contoso.com", "hv12.contoso.com")]);
  const sentAt = clock.now();
  const found = await until(async () => {
    await clock.advance(1_000);
    const incidents = await incidentsIn(bus);
    return incidents.some(({ playbook }) => playbook === "cluster-hang-9e") ? incidents : undefined;
  });
  const lags = await bus.progress(MATCH_GROUP, TOPICS.events.name);
  expect(lags.filter(({ end }) => end > 0).length).toBe(3);
  expect(found.filter(({ parent }) => parent === undefined).map(({ playbook }) => playbook)).toEqual([
    "cluster-hang-9e",
  ]);
  // The playbook's own wait, and a few seconds for beats.
  expect(clock.now() - sentAt).toBeLessThan(60_000);
  await service.stop();
});

/** Runs until the outage's incident is as asked for. */
async function settled(bus: Bus, clock: SettableClock, isSo: (incident: Incident) => boolean): Promise<Incident> {
  return until(async () => {
    await clock.advance(30_000);
    return (await incidentsIn(bus)).find((one) => one.playbook === "cluster-hang-9e" && isSo(one));
  });
}

const withOtherTitle = (file: string, text: string): string =>
  file === "cluster-hang-9e.yaml" ? text.replace(/^title: .*$/m, "title: The other title") : text;
const withoutHang = (file: string, text: string): string | undefined =>
  file.startsWith("cluster-hang-9e.") ? undefined : text.replaceAll("cluster-hang-9e", "cluster-hang-4869");

test("F41 other knowledge is taken up while it runs: what is open stays the same incident and reads as the new says", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now() });
  const service = await start(parts(bus, clock));
  await send(bus, outage("hv11.contoso.com", "hv12.contoso.com"));
  const before = await settled(bus, clock, () => true);
  service.use(knowledge(withOtherTitle));
  const after = await settled(bus, clock, ({ title }) => title === "The other title");
  expect(after.id).toBe(before.id);
  expect(after.revision).toBeGreaterThan(before.revision);
  expect(after.causes[0]?.id).toBe("nonpaged-pool-exhausted");
  await service.stop();
});

test("F41 an incident whose playbook is gone after a restart is ended, not forgotten", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now() });
  const first = await start(parts(bus, clock));
  await send(bus, outage("hv11.contoso.com", "hv12.contoso.com"));
  const before = await settled(bus, clock, () => true);
  await first.stop();
  const second = await start({ ...parts(bus, clock), knowledge: knowledge(withoutHang) });
  const after = await settled(bus, clock, ({ status }) => status === "closed");
  expect(after.id).toBe(before.id);
  expect(after.facts.at(-1)).toMatch(/^Withdrawn: the playbook/);
  await second.stop();
});

test("P3 what is learned from one partition sends the signals of another to their keys", async () => {
  const clock = settableClock(START + 300_000);
  const partitions = (topic: string): number => (topic === TOPICS.events.name || topic === TOPICS.signals.name ? 4 : 1);
  await using bus = await openEmbeddedBus({ now: () => clock.now(), partitions });
  const service = await start(parts(bus, clock));
  const keysOf = async (rule: string): Promise<ReadonlySet<string>> => {
    const keys = new Set<string>();
    const follower = await bus.follow({
      topic: TOPICS.signals.name,
      handle({ messages }) {
        for (const { key, value } of messages) if (JSON.stringify(value).includes(`"rule":"${rule}"`)) keys.add(key);
      },
    });
    await follower.caughtUp;
    await follower.close();
    return keys;
  };
  const poolKeys = (count: number): Promise<ReadonlySet<string>> =>
    until(async () => {
      await clock.advance(1_000);
      const keys = await keysOf("srv_2019");
      return keys.size >= count ? keys : undefined;
    });
  const [poolEmpty, nodeRemoved] = outage("hv11.contoso.com", "hv12.contoso.com") as [WindowsEvent, WindowsEvent];
  await send(bus, [poolEmpty]);
  const before = await poolKeys(1);
  // The other node's record tells that the two are peers: the cluster has to hear of the pool too.
  await send(bus, [nodeRemoved]);
  const after = await poolKeys(before.size + 1);
  expect([...after]).toEqual(expect.arrayContaining([...before]));
  await service.stop();
});

test("a log that was whole before a restart is known to have been: what it loses after it is an incident", async () => {
  const clock = settableClock(START + 300_000);
  await using bus = await openEmbeddedBus({ now: () => clock.now() });
  const arrived = async (firstRecordId: number, lastRecordId: number): Promise<void> => {
    const at = clock.now();
    const ids = { count: lastRecordId - firstRecordId + 1, firstRecordId, lastRecordId };
    const value = { kind: "coverage", host: "fs1.contoso.com", channel: "System", from: at - 60_000, to: at, ...ids };
    await bus.publish([{ topic: TOPICS.events.name, key: value.host, value }]);
  };
  let service = await start(parts(bus, clock));
  // Log time begins with an event; this one is of no interest.
  await send(bus, [event(0, "fs1.contoso.com", "Microsoft-Windows-Kernel-General", 12, {})]);
  await arrived(1, 800);
  await clock.advance(120_000);
  await arrived(801, 900);
  await until(async () => {
    let isRead: true | undefined;
    const follower = await bus.follow({
      topic: TOPICS.signals.name,
      handle({ messages }) {
        if (messages.some(({ value }) => JSON.stringify(value).includes('"lastRecordId":900'))) isRead = true;
      },
    });
    await follower.caughtUp;
    await follower.close();
    return isRead;
  });
  await service.stop();
  service = await start(parts(bus, clock));
  await arrived(901, 910);
  let next = 1_000;
  const lost = await until(async () => {
    await clock.advance(600_000);
    await arrived(next, next + 9);
    next += 10;
    return (await incidentsIn(bus)).find(({ playbook }) => playbook === "feed-gap");
  });
  expect(lost.title).toBe("89 records of the System log of FS1 never arrived");
  await service.stop();
});
