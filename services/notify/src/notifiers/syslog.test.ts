import { expect, test } from "vitest";
import { hostile, oversized } from "../fixtures.ts";
import { syslog } from "./syslog.ts";
import { Driver, FakePeer, LOCALHOST, type Sent } from "./test-kit.ts";

async function heard(options: Record<string, unknown>, sent: Sent = {}): Promise<string> {
  await using peer = await new FakePeer({ tls: true }).listen();
  const driver = new Driver(syslog, { host: "127.0.0.1", port: peer.port, ca: LOCALHOST.cert, ...options });
  expect(await driver.send("trigger", sent)).toEqual({ result: "ok", certainty: "accepted" });
  const [, length = "", message = ""] = /^(\d+) (.*)$/s.exec(peer.said[0]?.toString("utf8") ?? "") ?? [];
  expect(Buffer.byteLength(message)).toBe(Number(length));
  return message;
}

test("CEF goes over TLS with its length before it, the key and the cause in their places", async () => {
  const message = await heard({});
  expect(message).toMatch(
    /^<130>1 2026-03-17T02:05:00\.000Z culprit culprit - trigger - CEF:0\|Culprit\|Culprit\|1\|cluster-hang-9e\|CRITICAL HV11 crashed[^|]*\|10\|externalId=[0-9a-f]{64} /,
  );
  expect(message).toContain(" reason=Cause: Non-paged pool exhausted on HV11 75 % likely ");
});

test("RFC 5424 carries the same as structured data", async () => {
  const message = await heard({ format: "rfc5424", facility: 1 });
  expect(message).toMatch(/^<10>1 \S+ culprit culprit - trigger \[culprit@32473 key="[0-9a-f]{64}" action="trigger" /);
  expect(message).toContain("] CRITICAL HV11 crashed");
});

test("B50 what events say ends no field, no header and no message", async () => {
  const text = 'a|b=c\\d "e]f\r\n<134>1 - - - - - - forged';
  const cef = await heard({}, { incident: hostile(text) });
  expect(cef).not.toMatch(/[\r\n]/);
  expect(cef).toContain("a\\|b=c\\\\d");
  expect(cef).toContain("reason=Cause: a|b\\=c\\\\d");
  const structured = await heard({ format: "rfc5424" }, { incident: hostile(text) });
  expect(structured).not.toMatch(/[\r\n]/);
  expect(structured).toContain('subject="a|b=c\\\\d \\"e\\]f');
});

test("far too much text is cut to what receivers take", async () => {
  for (const format of ["cef", "rfc5424"]) {
    expect(Buffer.byteLength(await heard({ format }, { incident: oversized() }))).toBeLessThanOrEqual(8_192);
  }
});

test("B45 a peer that is not who it says, or speaks no TLS, gets nothing", async () => {
  await using strange = await new FakePeer({ tls: true }).listen();
  const untrusted = new Driver(syslog, { host: "127.0.0.1", port: strange.port });
  expect(await untrusted.send("trigger")).toMatchObject({
    result: "later",
    detail: expect.stringContaining("self-signed"),
  });
  await using plain = await new FakePeer({ tls: false }).listen();
  const refused = new Driver(syslog, { host: "127.0.0.1", port: plain.port, ca: LOCALHOST.cert });
  expect((await refused.send("trigger", {}, 500)).result).toBe("later");
  expect(Buffer.concat([...strange.said, ...plain.said]).toString("latin1")).not.toContain("CEF");
});

test("B44 a receiver on a private address is not connected to unless it is allowed", async () => {
  const driver = new Driver(syslog, { host: "169.254.169.254", tls: "none" });
  expect(await driver.send("trigger")).toMatchObject({ result: "auth" });
});
