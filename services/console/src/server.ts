/** The console's HTTP server: pages for people, JSON for programs, probes for whoever watches the process. */
import type { IncidentId, IncidentStatus } from "@culprit/model";
import { type Clock, type Health, type Logger, type Metrics, probeAnswer } from "@culprit/runtime";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import { ActionBody, type ApiContext, addApi } from "./api.ts";
import { loadAssets } from "./assets.ts";
import { allowedHosts, type ConsoleConfig } from "./config.ts";
import { cookieOf, FORM_COOKIE, FormTokens, refusalOf } from "./guard.ts";
import { renderIncident } from "./pages/incident.ts";
import { renderList, VIEWS, type View } from "./pages/list.ts";
import { zoneOf } from "./pages/when.ts";
import { type ProblemCode, problemJson, problemPage, statusOf } from "./problem.ts";

export interface ServerOptions extends ApiContext {
  readonly config: ConsoleConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  health(): Health;
}

const BODY_MAX_BYTES = 64 * 1024;
const LIST_MAX = 200;
const VIEW_STATUS: Readonly<Record<View, readonly IncidentStatus[]>> = {
  active: ["open", "acknowledged"],
  ended: ["resolved", "closed"],
  all: ["open", "acknowledged", "resolved", "closed"],
};
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

const PageQuery = z.object({
  view: z.enum(VIEWS).catch("active"),
  q: z.string().trim().max(200).catch(""),
});

/** Makes the server; it does not listen yet. Errors: `console.unknown-zone`. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { config, logger, metrics } = options;
  const app = fastify({
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { maxParamLength: 128 },
    requestTimeout: 30_000,
    connectionTimeout: 0,
    forceCloseConnections: true,
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
  addProbes(app, options);
  addAssets(app);
  addApi(app, options);
  addPages(app, options);
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

function addPages(app: FastifyInstance, { projection, actions, config, clock }: ServerOptions): void {
  const zone = zoneOf(config.timeZone);
  const tokens = new FormTokens();

  app.get("/", (request, reply) => {
    const { view, q } = PageQuery.parse(request.query);
    const { total, incidents } = projection.list({
      status: VIEW_STATUS[view],
      withChildren: false,
      sort: view === "active" ? "severity" : "updated",
      offset: 0,
      limit: LIST_MAX,
      ...(q === "" ? {} : { text: q }),
    });
    const page = { incidents, total, counts: projection.counts(), view, text: q, zone, now: clock.now() };
    return html(reply, renderList(page));
  });

  app.get<{ Params: { id: string } }>("/incidents/:id", (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const held = cookieOf(request.headers.cookie, FORM_COOKIE);
    const cookie = held ?? tokens.newCookie();
    if (held === undefined) reply.header("set-cookie", `${FORM_COOKIE}=${cookie}; Path=/; HttpOnly; SameSite=Strict`);
    const page = {
      incident,
      parent: incident.parent === undefined ? undefined : projection.incident(incident.parent),
      children: incident.children.flatMap((id) => projection.incident(id) ?? []),
      actions: projection.actions(incident.id),
      deliveries: projection.deliveries(incident.id),
      zone,
      now: clock.now(),
      formToken: tokens.tokenFor(cookie),
    };
    return html(reply, renderIncident(page));
  });

  app.post<{ Params: { id: string } }>("/incidents/:id/actions", async (request, reply) => {
    const { id } = request.params;
    if (projection.incident(id) === undefined) return reply.callNotFound();
    const form = (request.body ?? {}) as Record<string, unknown>;
    if (!tokens.isGood(cookieOf(request.headers.cookie, FORM_COOKIE), form["token"])) {
      return answer(reply, request.url, "console.bad-form-token");
    }
    const { token: _, ...fields } = form;
    const body = ActionBody.safeParse({
      ...fields,
      who: fields["who"] === undefined || fields["who"] === "" ? "console" : fields["who"],
    });
    if (!body.success) return answer(reply, request.url, "console.bad-request");
    await actions.write({ ...body.data, incident: id as IncidentId });
    return reply.redirect(`/incidents/${id}`, 303);
  });
}

function html(reply: FastifyReply, document: string): FastifyReply {
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(document);
}
