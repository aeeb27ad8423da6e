/**
 * The HTTP server under the receivers: it bounds what a request may be, finds out who sends it, reads its body, and gives
 * every refusal to the receiver whose path it was, to be said in that protocol's words.
 */
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { Readable } from "node:stream";
import { type AttemptLimit, type Health, type Logger, type Metrics, probeAnswer } from "@culprit/runtime";
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from "fastify";
import type { Budget } from "../budget.ts";
import type { IngestConfig } from "../config.ts";
import { isPassing } from "../intake.ts";
import type { IntakeMetrics } from "../intake-metrics.ts";
import type { Quotas } from "../quotas.ts";
import { senderOf } from "../receivers/source.ts";
import { isTooManyRecords } from "../record-limit.ts";
import { plainAddress } from "../streams/allow-list.ts";
import { certificateName } from "../streams/peer-certificate.ts";
import type { TlsMaterial, TlsWatch } from "../streams/tls-files.ts";
import type { Answer, HttpRequest, Receiver, Refusal, RefusalReason, Route } from "./answer.ts";
import { type Body, withBody } from "./body.ts";
import { clientErrorAnswer } from "./client-error.ts";
import type { Verdict } from "./credentials.ts";

/** Header lines a request may have; Node's limit on their bytes comes first. */
const HEADERS_MAX = 100;
const HEADER_MAX_BYTES = 16 * 1024;
/** How long, and how much, is read and dropped so that a refused sender can read the answer before the connection ends. */
const LINGER_MS = 300;
const LINGER_MAX_BYTES = 8 * 1024 * 1024;

export interface ServerOptions {
  readonly config: IngestConfig;
  readonly receivers: readonly Receiver[];
  /** What all senders may hold in memory. */
  readonly budget: Budget;
  /** What each may send. */
  readonly quotas: Quotas;
  /** Its certificate, where it speaks HTTPS. */
  readonly tls: TlsWatch | undefined;
  /** Who sends. */
  check(request: HttpRequest): Verdict;
  /** Wrong tokens by address. */
  readonly attempts: AttemptLimit;
  /** Audit lines by address. */
  readonly audited: AttemptLimit;
  readonly counted: IntakeMetrics;
  readonly metrics: Metrics;
  readonly logger: Logger;
  health(): Health;
  /** Keeps a dead letter of bytes that could not be unpacked. */
  setAside(receiver: string, request: HttpRequest, sent: Uint8Array, detail: string): Promise<void>;
  /** Told of each request that begins; the answer is called when it is over. */
  begin(): () => void;
  isStopping(): boolean;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Builds the server; the caller listens and closes. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { config, receivers, logger, tls } = options;
  const limits = {
    maxHeaderSize: HEADER_MAX_BYTES,
    headersTimeout: Math.min(config.headersTimeoutMs, config.requestTimeoutMs),
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, Math.floor(config.headersTimeoutMs / 4))),
  };
  const app = fastify({
    logger: false,
    http: limits,
    ...(tls === undefined ? {} : { serverFactory: secureServer(tls) }),
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.idleTimeoutMs,
    bodyLimit: config.bodyMaxBytes,
    clientErrorHandler(error, socket) {
      if (error.code?.startsWith("ERR_SSL") === true) {
        // There is no connection yet to say anything over, and nothing is said in plain text.
        options.counted.refused("http", "tls");
        socket.destroy();
        return;
      }
      const answer = clientErrorAnswer(error);
      options.counted.refused("http", answer.reason);
      if (socket.writable && error.code !== "ECONNRESET") socket.end(answer.text);
      else socket.destroy();
    },
    frameworkErrors: (_error, request, reply) => void refuseAny(request, reply, { reason: "bad-path" }),
  });
  app.server.maxConnections = config.connectionsMax;
  app.server.maxHeadersCount = HEADERS_MAX + 50;
  // Bodies are read by us, whatever they say they are; fastify would refuse a type that is no type.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", async ({ raw: { headers } }) => {
    const type = headers["content-type"];
    if (type === undefined) return;
    headers[DECLARED_TYPE] = type;
    headers["content-type"] = "application/octet-stream";
  });

  const byPrefix = (path: string): Receiver => {
    const found = receivers.find(({ routes }) =>
      routes.some((route) => firstSegment(route.path) === firstSegment(path)),
    );
    return found ?? (receivers.at(-1) as Receiver);
  };
  const refuseAny = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal) => {
    const seen = requestOf(request);
    return refuse(byPrefix(seen.path), seen, { request, reply, refusal });
  };

  app.setNotFoundHandler((request, reply) => {
    const { path, method } = requestOf(request);
    if (hasParentStep(path)) return refuseAny(request, reply, { reason: "bad-path" });
    const methods = receivers.flatMap(({ routes }) => routes).filter((route) => fits(route.path, path));
    if (methods.length === 0) {
      if (path.includes("/collector/s2s")) logger.warn({ path }, "a universal forwarder sends Splunk's own protocol");
      return refuseAny(request, reply, { reason: "not-found" });
    }
    const allow = [...new Set(methods.map((route) => route.method))].join(", ");
    const detail = `${path} takes ${allow}, not ${method}`;
    return refuseAny(request, reply, { reason: "wrong-method", detail, headers: { allow } });
  });
  app.setErrorHandler((error, request, reply) => {
    logger.error({ error }, "a request could not be answered");
    return refuseAny(request, reply, { reason: "internal" });
  });

  for (const path of ["/livez", "/readyz", "/metrics"]) {
    app.get(path, async (_request, reply) => {
      const answer = await probeAnswer(path, { metrics: options.metrics, health: options.health });
      return reply
        .code(answer?.status ?? 404)
        .type(answer?.contentType ?? "text/plain")
        .send(answer?.body ?? "");
    });
  }
  for (const receiver of receivers) {
    for (const route of receiver.routes) {
      app.route({ method: route.method, url: route.path, handler: handlerOf(receiver, route) });
    }
  }
  return app;

  /** One server over TLS, set as fastify sets one of its own. */
  function secureServer({ material }: TlsWatch): FastifyServerFactory {
    const isAsked = config.tls?.clientCaPath !== undefined;
    return (handler) => {
      const server = createHttpsServer(
        { ...limits, ...material, requestCert: isAsked, rejectUnauthorized: isAsked },
        handler,
      );
      server.requestTimeout = config.requestTimeoutMs;
      server.keepAliveTimeout = config.idleTimeoutMs;
      return server;
    };
  }

  function handlerOf(receiver: Receiver, route: Route): Handler {
    return async (request, reply) => {
      // Over only when the answer has left, or nobody is there to take it.
      reply.raw.once("close", options.begin());
      return serve(receiver, route, { request, reply });
    };
  }

  async function serve(
    receiver: Receiver,
    route: Route,
    { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  ): Promise<FastifyReply> {
    const seen = requestOf(request);
    const no = (refusal: Refusal) => refuse(receiver, seen, { request, reply, refusal });
    if (request.raw.rawHeaders.length / 2 > HEADERS_MAX) return no({ reason: "too-many-headers" });
    if (hasParentStep(seen.path)) return no({ reason: "bad-path" });
    if (options.isStopping()) return no({ reason: "stopping" });
    if (tls?.isExpired() === true) return no({ reason: "expired-certificate" });
    if (route.access === "open") return finish(receiver, reply, await route.handle({ ...seen, body: NO_BODY }));

    const wait = options.attempts.waitSeconds(seen.remote);
    if (wait > 0) return no({ reason: "too-many-attempts", headers: { "retry-after": String(wait) } });
    const verdict = options.check(seen);
    if (!verdict.ok) {
      if (verdict.reason === "wrong-token") options.attempts.wrong(seen.remote);
      audit(seen, receiver, verdict.reason);
      return no({ reason: verdict.reason });
    }
    const known = { ...seen, token: verdict.token };
    if (route.access === "credentials") return finish(receiver, reply, await route.handle({ ...known, body: NO_BODY }));

    const sender = senderOf(known);
    const overQuotaMs = options.quotas.waitMs(sender);
    if (overQuotaMs > 0) {
      return no({ reason: "over-quota", headers: { "retry-after": String(Math.ceil(overQuotaMs / 1_000)) } });
    }
    const encoding = request.headers["content-encoding"] ?? "";
    const contentLength = request.headers["content-length"];
    const about = { contentLength: contentLength === undefined ? undefined : Number(contentLength), encoding };
    let charged = 0;
    const use = async (body: Body): Promise<FastifyReply> => {
      if (!body.ok) {
        if (body.sent !== undefined) {
          await options.setAside(receiver.name, known, body.sent, body.detail ?? "cannot be unpacked");
        }
        return no(body);
      }
      options.counted.bodyBytes(receiver.name, body.sentBytes);
      charged = body.bytes.length;
      options.quotas.charge(sender, { bytes: charged });
      return finish(receiver, reply, await route.handle({ ...known, body: body.bytes }));
    };
    try {
      return await withBody(request.raw, about, { limits: config, budget: options.budget, use });
    } catch (error) {
      if (isPassing(error)) {
        // It will come again, and pays then.
        options.quotas.charge(sender, { bytes: -charged });
        logger.warn({ error, receiver: receiver.name }, "records could not be stored; the sender is told to come back");
        return no({ reason: error.code === "bus.busy" ? "busy" : "unavailable", detail: error.message });
      }
      if (isTooManyRecords(error)) return no({ reason: "too-many-records", detail: error.message });
      logger.error({ error, receiver: receiver.name }, "a request failed");
      return no({ reason: "internal" });
    }
  }

  /** An audit line, as many a minute for one address as it may try wrong tokens. */
  function audit({ remote }: HttpRequest, receiver: Receiver, reason: RefusalReason): void {
    if (options.audited.waitSeconds(remote) > 0) return;
    options.audited.wrong(remote);
    logger.warn({ remote, receiver: receiver.name, reason }, "credentials refused");
  }

  async function refuse(
    receiver: Receiver,
    seen: HttpRequest,
    { request, reply, refusal }: { request: FastifyRequest; reply: FastifyReply; refusal: Refusal },
  ): Promise<FastifyReply> {
    options.counted.refused(receiver.name, refusal.reason);
    const answer = receiver.refuse(refusal, seen);
    const headers: Record<string, string> = { ...answer.headers, ...refusal.headers };
    if ([429, 503].includes(answer.status)) headers["retry-after"] ??= String(config.retryAfterSeconds);
    if (answer.status === 401) headers["www-authenticate"] ??= 'Basic realm="culprit", charset="UTF-8"';
    if (!(await readToEnd(request.raw))) headers["connection"] = "close";
    return finish(receiver, reply, { ...answer, headers });
  }

  function finish(receiver: Receiver, reply: FastifyReply, answer: Answer): FastifyReply {
    options.counted.answered(receiver.name, answer.status);
    reply.code(answer.status).headers({ ...receiver.headers, ...answer.headers });
    if (options.isStopping()) reply.header("connection", "close");
    if (answer.body === undefined) return reply.send();
    if (typeof answer.body === "string") return reply.send(answer.body);
    if (answer.body instanceof Uint8Array) return reply.send(Buffer.from(answer.body));
    return reply.type("application/json; charset=utf-8").send(JSON.stringify(answer.body));
  }
}

/** Gives new connections another certificate; those that are open go on with theirs. */
export function useCertificate({ server }: FastifyInstance, material: TlsMaterial): void {
  if (server instanceof HttpsServer) server.setSecureContext(material);
}

/** Where a request's own Content-Type is kept; no sender can set it, because a header's name has no space. */
const DECLARED_TYPE = "declared content-type";
const NO_BODY = new Uint8Array(0);

function requestOf(request: FastifyRequest): HttpRequest {
  const mark = request.url.indexOf("?");
  return {
    method: request.method,
    path: mark === -1 ? request.url : request.url.slice(0, mark),
    params: request.params as Record<string, string>,
    query: new URLSearchParams(mark === -1 ? "" : request.url.slice(mark + 1)),
    headers: { ...request.headers, "content-type": request.headers[DECLARED_TYPE] },
    remote: plainAddress(request.socket.remoteAddress),
    certificate: certificateName(request.socket),
    token: undefined,
  };
}

function firstSegment(path: string): string {
  return path.split("/", 2)[1] ?? "";
}

function hasParentStep(path: string): boolean {
  return path.split(/[/\\]|%2f|%5c/i).some((step) => /^(?:\.|%2e){2}$/i.test(step));
}

/** Whether a route's path fits; `:name` is any one step and a final `*` any rest. */
function fits(route: string, path: string): boolean {
  if (route.endsWith("*")) return path.startsWith(route.slice(0, -1));
  const [steps, given] = [route.split("/"), path.split("/")];
  return steps.length === given.length && steps.every((step, i) => step.startsWith(":") || step === given[i]);
}

/** Reads and drops the rest of a body for a moment; false where there was more. */
async function readToEnd(stream: Readable): Promise<boolean> {
  if (stream.readableEnded || stream.destroyed) return stream.readableEnded;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let dropped = 0;
  const onData = (chunk: Uint8Array): void => {
    dropped += chunk.length;
    if (dropped > LINGER_MAX_BYTES) resolve(false);
  };
  const timer = setTimeout(() => resolve(false), LINGER_MS);
  stream.on("data", onData);
  stream.once("end", () => resolve(true));
  stream.once("close", () => resolve(false));
  stream.once("error", () => resolve(false));
  const ended = await promise;
  clearTimeout(timer);
  stream.off("data", onData);
  return ended;
}
