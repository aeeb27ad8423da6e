/**
 * The gate before every page and call: who it is, or the way to the login. Probes, the login itself and what it looks like
 * are open.
 */
import type { Logger, Metrics } from "@culprit/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FormGuard } from "../form-guard.ts";
import { renderLogin } from "../pages/login.ts";
import { problemJson, statusOf } from "../problem.ts";
import type { Caller, Callers } from "./callers.ts";
import { SESSION_COOKIE } from "./session.ts";

export type CallerOf = (request: FastifyRequest) => Caller;

const OPEN = /^\/(?:livez|readyz|metrics|login|assets\/[\w.-]+)(?:\?|$)/;
const FIELD_MAX_LENGTH = 1_000;

/** Adds the gate and the login's routes. Answers who asks, for requests that came through. */
export function addGate(
  app: FastifyInstance,
  context: {
    readonly callers: Callers;
    readonly forms: FormGuard;
    readonly sessionMs: number;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
): CallerOf {
  const { callers, forms, logger } = context;
  const counted = context.metrics.counter("console_logins_total", "Logins and tokens, by result", ["result"]);
  const known = new WeakMap<FastifyRequest, Caller>();

  app.addHook("onRequest", async (request, reply) => {
    if (OPEN.test(request.url)) return;
    const { cookie, authorization } = request.headers;
    const caller = callers.of({ cookie, authorization, address: request.ip });
    if (caller.kind !== "nobody") {
      known.set(request, caller);
      return;
    }
    if (authorization !== undefined) {
      counted.add(1, { result: caller.waitSeconds > 0 ? "too-many" : "wrong" });
      logger.warn({ address: request.ip }, "wrong token");
    }
    await turnAway(request, reply, caller.waitSeconds);
  });

  app.get("/login", (request, reply) => {
    if (!callers.isGuarded) return reply.redirect("/", 303);
    const page = { next: nextOf(request.query), formToken: forms.tokenFor(request, reply), wrong: undefined };
    return html(reply, renderLogin(page));
  });

  app.post("/login", async (request, reply) => {
    const form = forms.fieldsOf(request);
    const next = nextOf(form ?? {});
    const again = (wrong: string, status: number): FastifyReply =>
      html(reply.code(status), renderLogin({ next, formToken: forms.tokenFor(request, reply), wrong }));
    if (form === undefined) return again("This form is too old; please try again.", 403);
    const name = (form["name"] ?? "").trim().slice(0, FIELD_MAX_LENGTH);
    const outcome = await callers.logIn(name, (form["password"] ?? "").slice(0, FIELD_MAX_LENGTH), request.ip);
    if (outcome.ok) {
      counted.add(1, { result: "ok" });
      logger.info({ name, address: request.ip }, "logged in");
      reply.header("set-cookie", sessionCookie(request, outcome.cookie, Math.floor(context.sessionMs / 1_000)));
      return reply.redirect(next, 303);
    }
    const isTooMany = outcome.waitSeconds > 0;
    counted.add(1, { result: isTooMany ? "too-many" : "wrong" });
    // A password typed into the field for the name must not end in the log.
    logger.warn({ address: request.ip }, "login refused");
    if (!isTooMany) return again("Name or password is wrong.", 401);
    reply.header("retry-after", String(outcome.waitSeconds));
    return again(`Too many tries. Please wait ${outcome.waitSeconds} s.`, 429);
  });

  app.post("/logout", (request, reply) => {
    if (forms.fieldsOf(request) === undefined) return reply.redirect("/", 303);
    reply.header("set-cookie", sessionCookie(request, "", 0));
    return reply.redirect("/login", 303);
  });

  return (request) => known.get(request) ?? { kind: "anyone" };
}

async function turnAway(request: FastifyRequest, reply: FastifyReply, waitSeconds: number): Promise<void> {
  if (waitSeconds > 0) {
    reply.header("retry-after", String(waitSeconds));
    await reply.code(statusOf("console.too-many-tries")).send(problemJson("console.too-many-tries"));
    return;
  }
  if (request.url.startsWith("/api/") || request.method !== "GET") {
    reply.header("www-authenticate", 'Bearer realm="culprit"');
    await reply.code(statusOf("console.login-needed")).send(problemJson("console.login-needed"));
    return;
  }
  await reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
}

function sessionCookie(request: FastifyRequest, value: string, maxAgeSeconds: number): string {
  const secure = request.protocol === "https" ? "; Secure" : "";
  // Lax: a link in a chat or a mail opens the page with the session; what changes something needs the form's token.
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
}

/** Where to go after the login: a place of ours, never somebody else's. */
function nextOf(fields: unknown): string {
  const next = (fields as { next?: unknown } | null)?.next;
  return typeof next === "string" && /^\/(?![/\\])[\x21-\x7e]{0,500}$/.test(next) ? next : "/";
}

function html(reply: FastifyReply, document: string): FastifyReply {
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(document);
}
