import type { IncidentId } from "@culprit/model";
import { Secret } from "@culprit/runtime";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Link, type LinkKeys, linkToken, readLinkToken } from "./link-token.ts";

const NOW = Date.parse("2026-03-17T02:12:00.000Z");
const keys: LinkKeys = [new Secret("k".repeat(32))];
const link: Link = {
  reply: "acknowledge",
  incident: "3f".repeat(32) as IncidentId,
  target: "mail-2",
  expiresAt: NOW + 60_000,
};

describe("a signed link", () => {
  test("says what it was signed for, and fits into a URL as it is", () => {
    const token = linkToken(link, keys);
    expect(readLinkToken(token, keys, NOW)).toEqual({ ok: true, value: link });
    expect(encodeURIComponent(token)).toBe(token);
  });

  test("runs out at its time, to the millisecond", () => {
    const token = linkToken(link, keys);
    expect(readLinkToken(token, keys, link.expiresAt - 1).ok).toBe(true);
    expect(readLinkToken(token, keys, link.expiresAt)).toMatchObject({ failure: { reason: "link.expired" } });
  });

  test("of a replaced key is good as long as that key is kept, and not after", () => {
    const old = linkToken(link, keys);
    const fresh = new Secret("n".repeat(32));
    expect(readLinkToken(old, [fresh, ...keys], NOW).ok).toBe(true);
    expect(readLinkToken(old, [fresh], NOW)).toMatchObject({ failure: { reason: "link.bad" } });
    expect(readLinkToken(linkToken(link, [fresh, ...keys]), [fresh], NOW).ok).toBe(true);
  });

  test("with any one character changed, added or left out is no link", () => {
    const token = linkToken(link, keys);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom("", "a", ".", "_", "A", "0", "é"), (at, other) => {
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        if (changed !== token) expect(readLinkToken(changed, keys, NOW).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
    expect(readLinkToken(`${token}=`, keys, NOW).ok).toBe(false);
    expect(readLinkToken(`${token}A`, keys, NOW).ok).toBe(false);
  });

  test.each(["", ".", "v1", "v1.acknowledge", `${"x".repeat(100_000)}.y`, "v1.a.b.c.d.e.f.g"])(
    "never comes of %j",
    (token) => {
      expect(readLinkToken(token, keys, NOW)).toMatchObject({ failure: { reason: "link.bad" } });
    },
  );
});
