/** The console's HTTP server: pages for people, JSON for programs, probes for whoever watches the process. */
import { type Health, type Logger, type Metrics, probeAnswer } from "@culprit/runtime";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { addApi } from "./api.ts";
import { loadAssets } from "./assets.ts";
import { allowedHosts } from "./config.ts";
import { formGuard } from "./form-guard.ts";
import { refusalOf } from "./guard.ts";
import type { Callers } from "./login/callers.ts";
import { addGate } from "./login/gate.ts";
import { openApi } from "./openapi.ts";
import { addPages, type PageContext } from "./page-routes.ts";
import { type ProblemCode, problemJson, problemPage, statusOf } from "./problem.ts";

export interface ServerOptions extends Omit<PageContext, "callerOf" | "forms"> {
  readonly callers: Callers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  health(): Health;
}

const BODY_MAX_BYTES = 64 * 1024;
/** No inline script or style, nothing from elsewhere, no frame around us. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** Makes the server; it does not listen yet. Errors: `console.unknown-zone`. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { config, logger, metrics } = options;
  const app = fastify({
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { maxParamLength: 128 },
    requestTimeout: 30_000,
    connectionTimeout: 0,
    forceCloseConnections: true,
    trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
  });
  const hosts = allowedHosts(config);
  const refused = metrics.counter("console_requests_refused_total", "Requests refused by host or origin", ["reason"]);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    const isProbe = request.url === "/metrics" || request.url === "/livez" || request.url === "/readyz";
    if (isProbe) return;
    const changes = request.method !== "GET" && request.method !== "HEAD";
    const why = refusalOf(request.headers, { changes, hosts });
    if (why === undefined) return;
    refused.add(1, { reason: why });
    logger.warn({ reason: why, method: request.method }, "request refused");
    await answer(reply, request.url, `console.forbidden-${why}`);
  });
  app.setErrorHandler(async (error: { statusCode?: number; retriable?: boolean }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return answer(reply, request.url, "console.bad-request", status);
    logger.error({ error, url: request.routeOptions.url }, "request failed");
    return answer(reply, request.url, "console.unavailable");
  });
  app.setNotFoundHandler((request, reply) => answer(reply, request.url, "console.not-found"));
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  const forms = formGuard(config.sessionKey === undefined ? undefined : Buffer.from(config.sessionKey.reveal()));
  const { callers } = options;
  const callerOf = addGate(app, { callers, forms, sessionMs: config.sessionMs, logger, metrics });
  const context = { ...options, callerOf, forms };
  addProbes(app, options);
  addAssets(app);
  addApi(app, context);
  const description = openApi();
  app.get("/api/openapi.json", (_, reply) => reply.send(description));
  addPages(app, context);
  return app;
}

/** A page for browsers, JSON for the API. */
function answer(reply: FastifyReply, url: string, code: ProblemCode, status = statusOf(code)): FastifyReply {
  reply.code(status);
  if (url.startsWith("/api/")) return reply.send(problemJson(code));
  return reply.type("text/html; charset=utf-8").send(problemPage(code));
}

function addProbes(app: FastifyInstance, { metrics, health }: ServerOptions): void {
  for (const path of ["/metrics", "/livez", "/readyz"]) {
    app.get(path, async (_, reply) => {
      const probe = await probeAnswer(path, { metrics, health });
      if (probe === undefined) return reply.callNotFound();
      return reply.code(probe.status).type(probe.contentType).send(probe.body);
    });
  }
}

function addAssets(app: FastifyInstance): void {
  for (const [name, { contentType, body, etag }] of loadAssets()) {
    app.get(`/assets/${name}`, (request, reply) => {
      reply.header("etag", etag).header("cache-control", "no-cache");
      return request.headers["if-none-match"] === etag ? reply.code(304).send() : reply.type(contentType).send(body);
    });
  }
}
