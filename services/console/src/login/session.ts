/** Sessions as signed cookies: who, until when, and a signature. Nothing is kept here, so any console of one key knows them. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { EpochMs } from "@culprit/model";

export const SESSION_COOKIE = "culprit-session";
const EXPIRES = /^[0-9a-z]{1,10}$/;

/** The cookie's value. */
export function sessionText(name: string, expiresAt: EpochMs, key: Buffer): string {
  const text = `${Buffer.from(name).toString("base64url")}.${expiresAt.toString(36)}`;
  return `${text}.${signatureOf(text, key)}`;
}

/** Whose session it is; `undefined` for what is not ours or has run out. */
export function readSession(cookie: string | undefined, key: Buffer, now: EpochMs): string | undefined {
  const [name = "", expires = "", signature = "", ...more] = cookie?.split(".") ?? [];
  const expected = Buffer.from(signatureOf(`${name}.${expires}`, key));
  const given = Buffer.from(signature);
  const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
  if (!isOurs || more.length > 0 || !EXPIRES.test(expires) || Number.parseInt(expires, 36) <= now) return undefined;
  return Buffer.from(name, "base64url").toString("utf8");
}

function signatureOf(text: string, key: Buffer): string {
  return createHmac("sha256", key).update(`culprit session ${text}`).digest("base64url");
}
