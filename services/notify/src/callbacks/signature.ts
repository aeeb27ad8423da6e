/** Signatures of callbacks: HMAC-SHA256 as hex, under the key in use or the one before it. */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "@culprit/runtime";

/** The key in use first, then the one before it. */
export type Keys = readonly Secret[];

/** Whether one of the signatures is that of the bytes under one of the keys; all are compared, whichever fits. */
export function isSignedBy(keys: Keys, bytes: Buffer, signatures: readonly string[]): boolean {
  let good = false;
  for (const key of keys) {
    const expected = createHmac("sha256", key.reveal()).update(bytes).digest();
    for (const signature of signatures) {
      const given = /^[0-9a-f]{64}$/i.test(signature) ? Buffer.from(signature, "hex") : Buffer.alloc(0);
      if (given.length === expected.length && timingSafeEqual(given, expected)) good = true;
    }
  }
  return good;
}

/** Whether a text is one of the secrets; the time says nothing about how much of it fits. */
export function isOneOf(keys: Keys, text: string): boolean {
  const given = hash("sha256", text, "buffer");
  let good = false;
  for (const key of keys) if (timingSafeEqual(hash("sha256", key.reveal(), "buffer"), given)) good = true;
  return good;
}
