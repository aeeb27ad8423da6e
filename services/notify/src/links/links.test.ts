import { MINUTE_MS } from "@culprit/model";
import { Secret } from "@culprit/runtime";
import { describe, expect, test } from "vitest";
import { LINK_KEY, Office } from "../callbacks/test-kit.ts";
import { fixture } from "../fixtures.ts";
import { T0 } from "../test-kit.ts";
import { linkToken } from "./link-token.ts";

const incident = fixture("cluster-hang-9e", { children: [], title: 'HV11 <img src=x onerror="alert(1)"> crashed' });
const phone = (url: string) => [{ name: "phone", kind: "ntfy", url, topic: "night", updateEveryMs: 0 }];
const open = (callbacks: Record<string, unknown> = {}): Promise<Office> =>
  Office.open({ targets: phone, incidents: [incident], callbacks });

interface Button {
  readonly label: string;
  readonly url: string;
  readonly method: string;
}
const buttonsOf = (message: Record<string, unknown>): readonly Button[] => message["actions"] as Button[];
/** The link as a page gives it, on the port that listens. */
const linkOf = (office: Office, url: string): string => url.replace("https://reply.example/culprit", office.url);
async function firstLink(office: Office, label: string): Promise<string> {
  const url = buttonsOf(await office.told(1)).find((button) => button.label === label)?.url;
  if (url === undefined) throw new RangeError(`no button says ${label}`);
  return linkOf(office, url);
}
const post = (url: string, form: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: "POST", body: new URLSearchParams(form) });

describe("a signed link", () => {
  test("asks first: whoever fetches it, as mail scanners do, does nothing", async () => {
    await using office = await open();
    const link = await firstLink(office, "Acknowledge");
    for (const method of ["GET", "HEAD", "GET"]) expect((await fetch(link, { method })).status).toBe(200);
    const shown = await fetch(link);
    const text = await shown.text();
    expect(text).toContain('<form method="post">');
    expect(text).toContain("HV11 &lt;img src=x");
    expect(text).not.toContain("<img");
    expect(text).toContain("since 17 Mar 2026 02:00:04 UTC");
    expect(shown.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(shown.headers.get("referrer-policy")).toBe("no-referrer");
    expect(shown.headers.get("set-cookie")).toBeNull();
    expect(await office.acts()).toEqual([]);
  });

  test("acts when it is posted to, in the name given or that of the target it was sent to", async () => {
    await using office = await open();
    const link = await firstLink(office, "Acknowledge");
    expect((await post(link, { who: " ada ", note: "on it" })).status).toBe(200);
    const from = { via: "link", address: "127.0.0.1", detail: "phone" };
    expect(await office.acts()).toMatchObject([{ kind: "acknowledge", at: T0, who: "ada", note: "on it", from }]);
    // The page says so, and offers what is left to do.
    expect(buttonsOf(await office.told(2)).map(({ label }) => label)).toEqual(["Resolve", "Silence 2 h"]);
  });

  test("works once: a second press, at whatever time, moves nothing", async () => {
    await using office = await open();
    const link = await firstLink(office, "Acknowledge");
    await post(link);
    const [before] = await office.acts();
    expect(before?.who).toBe('someone with the link sent to "phone"');
    await office.told(2);
    await office.clock.advance(10 * MINUTE_MS);
    expect(await (await post(link, { who: "eve" })).text()).toContain("has done its work already");
    expect(await office.acts()).toEqual([before]);
  });

  test("does its one thing only", async () => {
    await using office = await open();
    const link = await firstLink(office, "Silence 2 h");
    await post(link.replace(".silence.", ".resolve."));
    expect(await office.acts()).toEqual([]);
    await post(link, { kind: "resolve" });
    expect(await office.acts()).toMatchObject([{ kind: "silence", origin: { via: "link" } }]);
  });

  test("runs out, and says so", async () => {
    await using office = await open({
      links: { url: "https://reply.example/culprit", key: LINK_KEY, maxAgeMs: 10 * MINUTE_MS },
    });
    const link = await firstLink(office, "Resolve");
    await office.clock.advance(10 * MINUTE_MS);
    for (const answer of [await fetch(link), await post(link)]) {
      expect(answer.status).toBe(410);
      expect(await answer.text()).toContain("has run out");
    }
    expect(await office.acts()).toEqual([]);
  });

  test("of the key before still works while that is configured", async () => {
    const url = "https://reply.example/culprit";
    await using office = await open({ links: { url, key: "n".repeat(32), previousKey: LINK_KEY } });
    await office.told(1);
    const old = { reply: "resolve", incident: incident.id, target: "phone", expiresAt: T0 + 1_000 } as const;
    const link = `${office.url}/links/${linkToken(old, [new Secret(LINK_KEY)])}`;
    expect((await post(link)).status).toBe(200);
    const stranger = `${office.url}/links/${linkToken(old, [new Secret("z".repeat(32))])}`;
    expect((await post(stranger)).status).toBe(404);
    expect((await office.acts()).map(({ kind }) => kind)).toEqual(["resolve"]);
  });

  test("to an incident that has ended meanwhile does nothing", async () => {
    await using office = await open();
    const link = await firstLink(office, "Acknowledge");
    await office.publish({ ...incident, revision: 9, status: "closed" });
    expect(buttonsOf(await office.told(2))).toBeUndefined();
    expect((await post(link)).status).toBe(409);
    expect(await office.acts()).toEqual([]);
  });

  test("is on no page where no key is configured, and none is believed then", async () => {
    await using office = await open({ links: undefined });
    expect(await office.told(1)).not.toHaveProperty("actions");
    expect((await post(`${office.url}/links/v1.resolve.x.phone.zzzzz.x`)).status).toBe(404);
  });
});

test("an acknowledgement from elsewhere runs out where the config says so", async () => {
  await using office = await open({ acknowledgeForMs: 30 * MINUTE_MS });
  await post(await firstLink(office, "Acknowledge"));
  expect(await office.acts()).toMatchObject([{ kind: "acknowledge", until: T0 + 30 * MINUTE_MS }]);
});

test("the address behind a proxy counts only where the proxy is trusted", async () => {
  for (const [trustedProxies, address] of [
    [["127.0.0.1"], "192.0.2.7"],
    [[], "127.0.0.1"],
  ] as const) {
    await using office = await open({ trustedProxies });
    const link = await firstLink(office, "Resolve");
    await fetch(link, { method: "POST", headers: { "x-forwarded-for": "192.0.2.7" } });
    expect(await office.acts()).toMatchObject([{ from: { address } }]);
  }
});
