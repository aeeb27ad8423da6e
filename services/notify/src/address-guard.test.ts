import type { LookupFunction } from "node:net";
import { describe, expect, test } from "vitest";
import { addressGuard } from "./address-guard.ts";

const REFUSED = expect.objectContaining({ code: "notify.address-refused" });

/** A resolver that answers what the test says, one list per question. */
function resolver(...answers: readonly (readonly string[])[]): LookupFunction {
  let asked = 0;
  return (_host, _options, callback) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
}

function lookUp(guard: ReturnType<typeof addressGuard>, host: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guard.lookup(host, { all: true }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

describe("B44 an outgoing URL", () => {
  test.each([
    ["loopback", "http://127.0.0.1/"],
    ["loopback by one number", "http://2130706433/"],
    ["loopback in hexadecimal", "http://0x7f.1/"],
    ["the unspecified address", "http://0.0.0.0/"],
    ["IPv6 loopback", "http://[::1]/"],
    ["IPv4 in IPv6", "http://[::ffff:127.0.0.1]/"],
    ["IPv4 in IPv6, hexadecimal", "http://[::ffff:7f00:1]/"],
    ["IPv4 behind NAT64", "http://[64:ff9b::a9fe:a9fe]/"],
    ["IPv4 in 6to4", "http://[2002:7f00:1::]/"],
    ["cloud metadata", "http://169.254.169.254/latest/meta-data/"],
    ["a private network", "https://10.1.2.3/"],
    ["a private network", "https://172.31.255.255/"],
    ["a private network", "https://192.168.0.1/"],
    ["shared address space", "https://100.64.0.1/"],
    ["a unique local address", "https://[fd00::1]/"],
    ["a link-local address", "https://[fe80::1]/"],
    ["another scheme", "file:///etc/passwd"],
    ["a login in the URL", "https://user:secret@example.com/"],
    ["no URL", "example.com"],
  ])("to %s (%s) is refused", (_, url) => {
    expect(() => addressGuard().check(url)).toThrow(REFUSED);
  });

  test("to a public address or a name passes", () => {
    const guard = addressGuard();
    for (const url of [
      "https://events.pagerduty.com/v2/enqueue",
      "https://8.8.8.8/",
      "https://172.32.0.1/",
      "https://[2a00::1]/",
    ]) {
      expect(guard.check(url).href).toBe(new URL(url).href);
    }
  });

  test("to a name whose address is private is refused where the connection is made", async () => {
    const guard = addressGuard({ resolve: resolver(["93.184.216.34", "10.0.0.5"]) });
    await expect(lookUp(guard, "evil.example")).rejects.toEqual(REFUSED);
  });

  test("to a name that answers differently the second time gains nothing: each connection is checked", async () => {
    const guard = addressGuard({ resolve: resolver(["93.184.216.34"], ["127.0.0.1"]) });
    await expect(lookUp(guard, "rebind.example")).resolves.toHaveLength(1);
    await expect(lookUp(guard, "rebind.example")).rejects.toEqual(REFUSED);
  });

  test("to a network or name that is allowed passes", async () => {
    const guard = addressGuard({
      allow: ["10.1.0.0/16", "fd00::/8", "alerts.corp"],
      resolve: resolver(["192.168.7.7"]),
    });
    expect(guard.check("http://10.1.2.3:9093/").port).toBe("9093");
    expect(guard.check("http://[fd00::1]/").hostname).toBe("[fd00::1]");
    expect(() => guard.check("http://10.2.0.1/")).toThrow(REFUSED);
    await expect(lookUp(guard, "alerts.corp")).resolves.toHaveLength(1);
    await expect(lookUp(guard, "other.corp")).rejects.toEqual(REFUSED);
  });

  test.each(["10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8/8", "a b", "name/8"])("the allowance %s is refused", (entry) => {
    expect(() => addressGuard({ allow: [entry] })).toThrow(/neither a network/);
  });
});
