/**
 * The text of a signed link: one action on one incident, for whom it was made, until when, and a signature over all of it.
 *
 *     v1.<action>.<incident>.<target>.<expires>.<signature>
 *
 * Whoever has the link may do this one thing until then, and nothing else. Two keys are good while one is replaced: the
 * first signs, both are believed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Decoded, type EpochMs, failure, ID_PATTERN, IncidentId, success } from "@culprit/model";
import type { Secret } from "@culprit/runtime";
import { REPLIES, type Reply } from "../reply.ts";

export interface Link {
  readonly reply: Reply;
  readonly incident: IncidentId;
  /** The target whose page it stands on. */
  readonly target: string;
  readonly expiresAt: EpochMs;
}

/** The newest first; at least one. */
export type LinkKeys = readonly [Secret, ...Secret[]];

const VERSION = "v1";
const TARGET = /^[a-z0-9-]{1,63}$/;
const EXPIRES = /^[0-9a-z]{1,10}$/;
const TOKEN_MAX_LENGTH = 300;

/** Signs a link with the first key. */
export function linkToken({ reply, incident, target, expiresAt }: Link, [key]: LinkKeys): string {
  const id = Buffer.from(incident, "hex").toString("base64url");
  const text = [VERSION, reply, id, target, expiresAt.toString(36)].join(".");
  return `${text}.${signatureOf(text, key).toString("base64url")}`;
}

/** Reads a link. Errors as values: `link.bad` for what we have not signed, `link.expired`. */
export function readLinkToken(token: string, keys: LinkKeys, now: EpochMs): Decoded<Link> {
  const end = token.lastIndexOf(".");
  const text = token.slice(0, Math.max(0, end));
  if (token.length > TOKEN_MAX_LENGTH || !isSigned(text, token.slice(end + 1), keys)) return bad();
  const [version, word, id = "", target = "", expires = "", ...more] = text.split(".");
  const reply = REPLIES.find((known) => known === word);
  const incident = Buffer.from(id, "base64url").toString("hex");
  const isWhole = version === VERSION && reply !== undefined && more.length === 0;
  if (!isWhole || !ID_PATTERN.test(incident) || !TARGET.test(target) || !EXPIRES.test(expires)) return bad();
  const expiresAt = Number.parseInt(expires, 36);
  if (expiresAt <= now) return failure("link.expired", "the link has run out");
  return success({ reply, incident: IncidentId.parse(incident), target, expiresAt });
}

function bad(): Decoded<Link> {
  return failure("link.bad", "this is no link of ours");
}

/** Every key is tried, whichever fits, so that the time says nothing about which one did. */
function isSigned(text: string, signature: string, keys: LinkKeys): boolean {
  const given = Buffer.from(signature, "base64url");
  let good = false;
  for (const key of keys) {
    const expected = signatureOf(text, key);
    // Base64 can be written in more than one way; only ours is taken, so that a link has one text.
    const same = given.length === expected.length && timingSafeEqual(given, expected);
    if (same && signature === expected.toString("base64url")) good = true;
  }
  return good;
}

function signatureOf(text: string, key: Secret): Buffer {
  return createHmac("sha256", key.reveal()).update(`culprit link ${text}`).digest();
}
