/** Who sends: tokens in any of the ways senders carry them, compared so that time tells nothing. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IngestToken } from "../config.ts";
import { allowList } from "../streams/allow-list.ts";
import { type HttpRequest, headerOf, type RefusalReason } from "./answer.ts";

export type Verdict =
  | { readonly ok: true; readonly token: IngestToken | undefined }
  | { readonly ok: false; readonly reason: RefusalReason };

const HEADER_MAX_LENGTH = 4_096;

export interface CredentialOptions {
  readonly tokens: readonly IngestToken[];
  readonly tokenInQuery: boolean;
  /** Networks that any request must come from. */
  readonly allow?: readonly string[];
}

/** Checks a request's address and credentials. */
export function credentialCheck({ tokens, tokenInQuery, allow }: CredentialOptions): (request: HttpRequest) => Verdict {
  const maySend = allowList(allow);
  const known = tokens.map((token) => ({ token, digest: knownDigest(token), mayUse: allowList(token.allow) }));

  /** Every token is compared, whichever fits, so that the time says nothing about which one did. */
  function find(presented: string): (typeof known)[number] | undefined {
    const digest = digestOf(presented);
    let found: (typeof known)[number] | undefined;
    for (const candidate of known) if (timingSafeEqual(candidate.digest, digest)) found = candidate;
    return found;
  }

  return (request) => {
    if (!maySend(request.remote)) return { ok: false, reason: "not-allowed" };
    if (known.length === 0) {
      const isKnown = request.certificate !== undefined || isLocal(request);
      return isKnown ? { ok: true, token: undefined } : { ok: false, reason: "not-local" };
    }
    const presented = presentedToken(request, tokenInQuery);
    if ("reason" in presented) return { ok: false, reason: presented.reason };
    const found = find(presented.text);
    if (found === undefined) return { ok: false, reason: "wrong-token" };
    if (found.token.disabled) return { ok: false, reason: "disabled-token" };
    return found.mayUse(request.remote) ? { ok: true, token: found.token } : { ok: false, reason: "not-allowed" };
  };
}

/** Errors: none; the config gives the one or the other. */
function knownDigest({ token, sha256 }: IngestToken): Uint8Array {
  return token === undefined ? Buffer.from(sha256 ?? "", "hex") : digestOf(token.reveal());
}

function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/**
 * Without tokens this machine is trusted, but not a page that its browser shows: such a request says where it comes from,
 * or names a host that only a rebound name can lead to.
 */
function isLocal(request: HttpRequest): boolean {
  const { remote } = request;
  const loopback = remote === "::1" || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(remote);
  if (!loopback || headerOf(request, "origin") !== undefined) return false;
  const host = headerOf(request, "host")?.replace(/:\d{1,5}$/, "");
  return host === undefined || /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/i.test(host);
}

type Presented = { readonly text: string } | { readonly reason: RefusalReason };

/**
 * `Splunk T`, `Bearer T`, `ApiKey base64(id:T)`, `Basic base64(user:T)`; Firehose's access key; `?token=T` where it is
 * allowed.
 */
function presentedToken(request: HttpRequest, tokenInQuery: boolean): Presented {
  const header = headerOf(request, "authorization");
  if (header === undefined) {
    const accessKey = headerOf(request, "x-amz-firehose-access-key");
    if (accessKey !== undefined && accessKey.length <= HEADER_MAX_LENGTH) return { text: accessKey };
    const inQuery = request.query.get("token");
    if (inQuery === null) return { reason: "no-credentials" };
    return tokenInQuery ? { text: inQuery } : { reason: "token-in-query" };
  }
  if (header.length > HEADER_MAX_LENGTH) return { reason: "malformed-credentials" };
  const match = /^(splunk|bearer|apikey|basic) +(\S+) *$/i.exec(header);
  const [, scheme, value] = match ?? [];
  if (scheme === undefined || value === undefined) return { reason: "malformed-credentials" };
  if (/^(?:splunk|bearer)$/i.test(scheme)) return { text: value };
  const pair = Buffer.from(value, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon === -1 ? { reason: "malformed-credentials" } : { text: pair.slice(colon + 1) };
}
