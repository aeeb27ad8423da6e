import { type Incident, type IncidentId, MINUTE_MS } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { fixture } from "./fixtures.ts";
import { fakeServer, type Received, T0, World } from "./test-kit.ts";

const base = fixture("cluster-hang-9e", { children: [] });
const incidents = (count: number): readonly Incident[] =>
  Array.from({ length: count }, (_, n) => ({
    ...base,
    id: n.toString(16).padStart(64, "a") as IncidentId,
    title: `host ${n} is down`,
    severity: n === count - 1 ? ("critical" as const) : ("high" as const),
  }));
const ended = (incident: Incident): Incident => ({ ...incident, revision: 9, status: "closed" });
const storm = { name: "night", kind: "ntfy", topic: "night", rate: { perMinute: 6, burst: 2 }, digestOver: 5 };
const titles = (received: readonly Received[]): readonly string[] =>
  received.map((request) => String(request.json()["title"]));

describe("more pages than a target may be sent", () => {
  test("make one page that counts them and names the gravest, and each is still told at the target's pace", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [{ ...storm, url: server.url }] });
    await world.publish(...incidents(12));
    const [digest, ...others] = titles(server.received).filter((title) => title.includes("more incidents wait"));
    expect(digest).toMatch(/^(?:CRITICAL 10|HIGH \d+) more incidents wait: /);
    expect(others).toEqual([]);
    expect(server.received.length).toBeLessThanOrEqual(4);
    await world.advance(5 * MINUTE_MS);
    const told = new Set(titles(server.received).filter((title) => /host \d+ is down/.test(title)));
    expect(told.size).toBe(12);
    expect(titles(server.received).at(-1)).toBe("RESOLVED Every incident that waited has been told");
  });

  test("that end before their turn are never paged, and the digest is closed", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [{ ...storm, url: server.url }] });
    const many = incidents(30);
    await world.publish(...many);
    await world.publish(...many.map(ended));
    await world.advance(5 * MINUTE_MS);
    const pages = titles(server.received);
    expect(pages.filter((title) => /^(?:CRITICAL|HIGH) host/.test(title)).length).toBeLessThanOrEqual(4);
    expect(pages.filter((title) => title === "RESOLVED Every incident that waited has been told")).toHaveLength(1);
  });

  test("make no digest while they are few, nor for a target that keeps records", async () => {
    await using phone = await fakeServer();
    await using archive = await fakeServer();
    const record = { name: "archive", kind: "webhook", url: archive.url, rate: storm.rate, digestOver: 1 };
    await using world = await World.open({ targets: [{ ...storm, url: phone.url }, record] });
    await world.publish(...incidents(6));
    await world.advance(2 * MINUTE_MS);
    expect(phone.received).toHaveLength(6);
    expect(archive.received).toHaveLength(6);
  });

  test("a digest that was open before a restart is closed after it", async () => {
    await using server = await fakeServer();
    await using world = await World.open({ targets: [{ ...storm, url: server.url }] });
    await world.publish(...incidents(12));
    await world.end();
    await world.publish(...incidents(12).map(ended));
    await world.begin();
    await world.advance(3 * MINUTE_MS);
    const digests = titles(server.received).filter((title) => /incidents wait|incident that waited/.test(title));
    expect(digests.at(-1)).toBe("RESOLVED Every incident that waited has been told");
    expect(digests).toHaveLength(2);
  });
});

test("a digest links to the list, not to an incident that there is not", async () => {
  await using server = await fakeServer();
  await using world = await World.open({ targets: [{ ...storm, url: server.url }] });
  await world.publish(...incidents(12));
  const digest = server.received.find((request) => request.body.includes("more incidents wait"));
  expect(digest?.json()["click"]).toBe("https://culprit.example");
});

test("the count alone is news only when it has doubled", () => {
  const causeOf = (count: number): string | undefined =>
    digestOf(incidents(count), { id: base.id, since: T0, now: T0 }).causes[0]?.id;
  expect(causeOf(10)).toBe(causeOf(14));
  expect(causeOf(20)).not.toBe(causeOf(10));
});
