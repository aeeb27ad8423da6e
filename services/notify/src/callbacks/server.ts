/**
 * The port for what comes back from people: signed links and the calls of chats and pagers. Nothing else is answered here,
 * so that this port alone has to be reached from outside.
 */
import { Fault } from "@culprit/model";
import type { Clock, Logger, Metrics } from "@culprit/runtime";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { badLinkPage, confirmPage, LINK_HEADERS, outcomePage } from "../links/link-page.ts";
import { type LinkKeys, readLinkToken } from "../links/link-token.ts";
import { type Asked, type Callback, nameOf, type Outcome } from "./asked.ts";
import type { ReplyDesk } from "./reply-desk.ts";

export interface CallbackServerOptions {
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: readonly string[];
  readonly callbacks: readonly Callback[];
  /** Without keys no link is good. */
  readonly linkKeys: LinkKeys | undefined;
  readonly desk: ReplyDesk;
  /** Of times on the pages of links; an IANA name. */
  readonly timeZone: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface CallbackServer {
  /** Where it listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** PagerDuty sends at most 256 KB; all others less. */
const BODY_MAX_BYTES = 256 * 1024;
const TOKEN_MAX_LENGTH = 400;
const NOTE_MAX_LENGTH = 1_000;
const OUTCOME_STATUS: Readonly<Record<Outcome, number>> = {
  done: 200,
  repeated: 200,
  over: 409,
  "unknown-incident": 404,
  unfit: 409,
};

/** Starts to listen. Errors: `notify.cannot-listen`. */
export async function startCallbackServer(options: CallbackServerOptions): Promise<CallbackServer> {
  const { host, port, logger } = options;
  const app = fastify({
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { maxParamLength: TOKEN_MAX_LENGTH },
    requestTimeout: 15_000,
    connectionTimeout: 0,
    forceCloseConnections: true,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
  });
  app.removeAllContentTypeParsers();
  // Signatures are over the bytes as they came.
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.setErrorHandler(async (error: { statusCode?: number }, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ error: String(error) }, "reply could not be stored");
    // Whoever called tries again; a person can too.
    return reply.code(status >= 500 ? 503 : status).send({ error: status >= 500 ? "try again" : "bad request" });
  });
  const counted = options.metrics.counter("notify_replies_total", "Replies of people, by way and what became of them", [
    "via",
    "outcome",
  ]);
  const count = (via: string, outcome: string): void => counted.add(1, { via, outcome });
  for (const callback of options.callbacks) addCallback(app, callback, options, count);
  addLinks(app, options, count);
  const url = await app.listen({ host, port }).catch((cause: unknown) => {
    throw new Fault("notify.cannot-listen", `cannot listen on ${host}:${port}`, { cause, fields: { host, port } });
  });
  return { url, close: () => app.close() };
}

type Count = (via: string, outcome: string) => void;

function addCallback(
  app: FastifyInstance,
  callback: Callback,
  { desk, clock, logger }: CallbackServerOptions,
  count: Count,
): void {
  const via = callback.name;
  app.post(`/callbacks/${via}`, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = (name: string): string | undefined => [request.headers[name]].flat()[0];
    const received = callback.receive({ header, body, address: request.ip, now: clock.now() });
    if ("refused" in received) {
      count(via, `refused-${received.refused}`);
      logger.warn({ via, reason: received.refused, address: request.ip }, "callback refused");
      return reply.code(received.refused === "unreadable" ? 400 : 401).send();
    }
    const outcomes: Outcome[] = [];
    for (const asked of received.asked) outcomes.push(await take(asked, desk, logger, count));
    if (received.asked.length === 0) count(via, "passed-over");
    const answer = received.answer?.(outcomes);
    return answer === undefined ? reply.code(200).send() : reply.code(200).send(answer);
  });
}

async function take(asked: Asked, desk: ReplyDesk, logger: Logger, count: Count): Promise<Outcome> {
  const outcome = await desk.take(asked);
  const { kind, who, from } = asked;
  count(from.via, outcome);
  logger.info({ via: from.via, address: from.address, kind, who, outcome }, "reply taken");
  return outcome;
}

function addLinks(app: FastifyInstance, options: CallbackServerOptions, count: Count): void {
  const { desk, clock, logger, linkKeys } = options;
  const linkOf = (request: FastifyRequest<{ Params: { token: string } }>, reply: FastifyReply) => {
    reply.headers(LINK_HEADERS);
    const read =
      linkKeys === undefined
        ? ({ ok: false, failure: { reason: "link.bad" } } as const)
        : readLinkToken(request.params.token, linkKeys, clock.now());
    if (read.ok) return read.value;
    const expired = read.failure.reason === "link.expired";
    count("link", expired ? "refused-too-old" : "refused-signature");
    void reply.code(expired ? 410 : 404).send(badLinkPage(expired ? "link.expired" : "link.bad"));
    return undefined;
  };

  app.get<{ Params: { token: string } }>("/links/:token", (request, reply) => {
    const link = linkOf(request, reply);
    if (link === undefined) return reply;
    const incident = desk.register.incident(link.incident);
    if (incident === undefined) return reply.code(404).send(outcomePage(link.reply, "unknown-incident"));
    return reply.send(confirmPage(incident, link.reply, options.timeZone));
  });

  app.post<{ Params: { token: string } }>("/links/:token", async (request, reply) => {
    const link = linkOf(request, reply);
    if (link === undefined) return reply;
    const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString("utf8") : "");
    const note = form.get("note")?.trim().slice(0, NOTE_MAX_LENGTH).toWellFormed() ?? "";
    const asked: Asked = {
      kind: link.reply,
      incident: link.incident,
      seed: ["link", request.params.token],
      who: nameOf([form.get("who") ?? "", `someone with the link sent to "${link.target}"`], 100),
      ...(note === "" ? {} : { note }),
      from: { via: "link", address: request.ip, detail: link.target },
    };
    const outcome = await take(asked, desk, logger, count);
    return reply.code(OUTCOME_STATUS[outcome]).send(outcomePage(link.reply, outcome));
  });
}
