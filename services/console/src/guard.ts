/**
 * Who may ask and from where: the Host of every request must be one of ours (a name that an attacker points at us is not),
 * and what changes something must come from our own pages or from a program that can set headers.
 * Source: RELIABILITY B52; OWASP CSRF prevention (signed double submit), Fetch metadata.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export interface RequestHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | string[] | undefined;
}

/** The host of a `Host` header or origin without its port, in lower case; "" for what cannot be read. */
function hostOf(text: string | undefined): string {
  const url = URL.parse(text?.includes("://") === true ? text : `http://${text ?? ""}`);
  return url === null || url.username !== "" || url.pathname !== "/" ? "" : url.hostname.toLowerCase();
}

/** Why a request is refused because of where it goes or comes from; `undefined` when it is not. */
export function refusalOf(
  headers: RequestHeaders,
  request: { readonly changes: boolean; readonly hosts: ReadonlySet<string> },
): "host" | "origin" | undefined {
  if (!request.hosts.has(hostOf(headers.host))) return "host";
  if (!request.changes) return undefined;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return "origin";
  // Programs send no Origin; a browser always does with what changes something.
  if (headers.origin === undefined) return undefined;
  const same = headers.origin !== "null" && sameAuthority(headers.origin, headers.host);
  return same ? undefined : "origin";
}

function sameAuthority(origin: string, host: string | undefined): boolean {
  const from = URL.parse(origin);
  // A proxy may end TLS in front of us, so the scheme is not compared.
  return from !== null && from.host.toLowerCase() === URL.parse(`${from.protocol}//${host ?? ""}`)?.host.toLowerCase();
}

/** Form tokens: a random value in a cookie, and its signature in the form. */
export class FormTokens {
  readonly #key: Buffer;

  constructor(key: Buffer = randomBytes(32)) {
    this.#key = key;
  }

  newCookie(): string {
    return randomBytes(24).toString("base64url");
  }

  tokenFor(cookie: string): string {
    return createHmac("sha256", this.#key).update(cookie).digest("base64url");
  }

  isGood(cookie: string | undefined, token: unknown): boolean {
    if (cookie === undefined || cookie.length < 16 || typeof token !== "string") return false;
    const expected = Buffer.from(this.tokenFor(cookie));
    const given = Buffer.from(token);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}

export const FORM_COOKIE = "culprit-form";

/** The value of one cookie. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}
