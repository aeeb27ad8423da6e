/**
 * One HTTP request of a notifier: guarded address, no redirect followed, the answer read up to 64 KiB, one deadline for all
 * of it. In: URL, headers, body; out: the status with the beginning of the body, or why there is none.
 */
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { createSecureContext } from "node:tls";
import { Fault } from "@culprit/model";
import type { AddressGuard } from "./address-guard.ts";
import type { SendResult } from "./notifier.ts";
import { type ProxyOptions, proxied } from "./proxy.ts";

/**
 * What is read of an answer. Source: RELIABILITY B45.
 * @internal
 */
export const ANSWER_MAX_BYTES = 64 * 1024;
const DETAIL_MAX_LENGTH = 300;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most `ANSWER_MAX_BYTES`; hostile text. */
  readonly body: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Sends a request.
 * Errors: `notify.address-refused` (not retriable), `notify.unreachable` (retriable; the field `sent` is 1 when the
 * request may have arrived).
 */
export type HttpPost = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

/** Whom to trust and which way to go; the system's authorities and straight unless given. */
export interface HttpWay {
  readonly trust?: readonly string[] | undefined;
  readonly proxy?: ProxyOptions | undefined;
}

export function httpPost(guard: AddressGuard, { trust, proxy }: HttpWay = {}): HttpPost {
  // Made once: there are over a hundred certificates in it.
  const secureContext = trust === undefined ? undefined : createSecureContext({ ca: [...trust] });
  const agents = proxy === undefined ? undefined : proxied(proxy);
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const url = guard.check(request.url);
      let connected = false;
      const fail = (cause: unknown): void => {
        if (cause instanceof Fault) {
          reject(cause);
          return;
        }
        const why = cause instanceof Error ? cause.message : String(cause);
        const fields = { host: url.host, sent: connected ? 1 : 0 };
        reject(new Fault("notify.unreachable", `${url.host}: ${why}`, { retriable: true, cause, fields }));
      };
      const body = Buffer.from(request.body ?? "", "utf8");
      const isTls = url.protocol === "https:";
      const outgoing = (isTls ? requestTls : requestPlain)(url, {
        method: request.method ?? "POST",
        headers: { "user-agent": "culprit", "content-length": body.length, ...request.headers },
        lookup: guard.lookup,
        ...(secureContext === undefined ? {} : { secureContext }),
        signal,
        // A connection of its own: the checked address is the one in use, and a stale one cannot lose a page.
        agent: (isTls ? agents?.tls : agents?.plain) ?? false,
      });
      outgoing.once("socket", (socket) => {
        // Behind a proxy the connection stands before it is handed over.
        connected = agents !== undefined;
        socket.once(isTls ? "secureConnect" : "connect", () => {
          connected = true;
        });
      });
      outgoing.once("error", fail);
      outgoing.once("response", (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const finish = (): void => {
          const text = Buffer.concat(chunks).subarray(0, ANSWER_MAX_BYTES).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: firstValues(response.headers), body: text });
        };
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size < ANSWER_MAX_BYTES) return;
          finish();
          response.destroy();
        });
        response.once("end", finish);
        response.once("error", fail);
      });
      outgoing.end(body);
    });
}

function firstValues(headers: Readonly<Record<string, string | string[] | undefined>>): HttpAnswer["headers"] {
  const out: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) out[name] = Array.isArray(value) ? value[0] : value;
  return out;
}

/** The body as JSON; `undefined` where it is none, or was cut. */
export function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What a status means where the target documents nothing else. */
export function resultOf(answer: HttpAnswer, now: number, certainty: "accepted" | "delivered"): SendResult {
  const { status } = answer;
  if (status >= 200 && status < 300) return { result: "ok", certainty };
  const detail = detailOf(answer);
  if (status === 401 || status === 403) return { result: "auth", detail };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(answer.headers["retry-after"], now);
    // A gateway's answer says nothing about what stands behind it.
    const uncertain = status === 502 || status === 504 || status === 408;
    return { result: "later", detail, uncertain, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  return { result: "never", detail };
}

/** `HTTP 400: invalid event`, clipped: what the target said, for a person. */
function detailOf(answer: HttpAnswer): string {
  const said = answer.body.trim().slice(0, DETAIL_MAX_LENGTH);
  return said === "" ? `HTTP ${answer.status}` : `HTTP ${answer.status}: ${said}`;
}

/** What a thrown fault means: a refused address is a configuration error, everything else is tried again. */
export function resultOfFault(fault: unknown): SendResult {
  const detail = fault instanceof Error ? fault.message : String(fault);
  if (fault instanceof Fault && fault.code === "notify.address-refused") return { result: "auth", detail };
  if (fault instanceof Fault && !fault.retriable) return { result: "never", detail };
  const uncertain = !(fault instanceof Fault) || fault.fields["sent"] !== 0;
  return { result: "later", detail, uncertain };
}

const RETRY_AFTER_MAX_MS = 6 * 3_600_000;

/**
 * Seconds or an HTTP date; `undefined` for anything else. Source: RFC 9110 section 10.2.3.
 * @internal
 */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\s*\d{1,9}\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms));
}
