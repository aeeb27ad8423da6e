/** What a receiver gets and gives: a request without its transport, an answer, and the reasons for refusing one. */
import type { IngestToken } from "../config.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes as they are, anything else as JSON; nothing for no body. */
  readonly body?: unknown;
}

/** Why a request was refused, in no protocol's words. */
export const REFUSALS = {
  "no-credentials": { status: 401, text: "credentials are required" },
  "malformed-credentials": { status: 401, text: "the credentials cannot be read" },
  "token-in-query": { status: 401, text: "a token in the query string is not accepted" },
  "wrong-token": { status: 403, text: "the token is not known" },
  "disabled-token": { status: 403, text: "the token is disabled" },
  "other-tenant": { status: 403, text: "the token may not use this index" },
  "not-local": { status: 403, text: "no tokens are configured, so only this machine may send" },
  "not-allowed": { status: 403, text: "this address may not send" },
  "over-quota": { status: 429, text: "this sender's quota is used up; try again later" },
  "too-many-attempts": { status: 429, text: "too many wrong tokens from this address" },
  "too-large": { status: 413, text: "the body is too large" },
  "too-many-records": { status: 413, text: "the request holds too many records" },
  "unpacks-too-large": { status: 413, text: "the body unpacks to too much" },
  "unknown-encoding": { status: 415, text: "this Content-Encoding is not supported" },
  "contradicting-type": { status: 415, text: "the Content-Type and the body contradict each other" },
  "broken-encoding": { status: 400, text: "the body cannot be unpacked" },
  "cut-off": { status: 400, text: "the body ended early" },
  "bad-path": { status: 400, text: "the path is not acceptable" },
  "not-found": { status: 404, text: "there is nothing at this path" },
  "wrong-method": { status: 405, text: "this path does not take this method" },
  "too-many-headers": { status: 431, text: "too many headers" },
  busy: { status: 429, text: "too much is in work; try again later" },
  unavailable: { status: 503, text: "records cannot be stored now; try again later" },
  "expired-certificate": { status: 503, text: "the server's certificate has expired" },
  stopping: { status: 503, text: "the server is shutting down" },
  internal: { status: 500, text: "internal error" },
} as const satisfies Readonly<Record<string, { status: number; text: string }>>;

export type RefusalReason = keyof typeof REFUSALS;

export interface Refusal {
  readonly reason: RefusalReason;
  /** For a person, where there is more to say than the reason. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remote: string;
  /** The name in the certificate that the sender showed. */
  readonly certificate: string | undefined;
  /** The token it came with; none where a certificate or this machine's address is enough. */
  readonly token: IngestToken | undefined;
}

/** A request with its body, unpacked. */
export interface HttpPost extends HttpRequest {
  readonly body: Uint8Array;
}

export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** As the router writes it: `/:index/_bulk`, `/_*`. */
  readonly path: string;
  /** `open` needs no credentials and reads no body. */
  readonly access: "open" | "credentials" | "post";
  handle(request: HttpPost): Promise<Answer> | Answer;
}

/** One protocol over HTTP. A new one is its file and its line in `receivers/index.ts`. */
export interface Receiver {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Headers on every answer of this protocol. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Says no in the protocol's own words. */
  refuse(refusal: Refusal, request: Pick<HttpRequest, "path" | "query" | "headers">): Answer;
}

/** One header's text; the first where it came several times. */
export function headerOf(request: Pick<HttpRequest, "headers">, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
