/** The pages for people and the forms on them. Every form carries a token that belongs to the browser's cookie. */
import { type IncidentStatus, matchOfIncident, SILENCE_FROM_PAGE_MS } from "@culprit/model";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ActionBody, actionFromForm, actionOf, misfitOf } from "./action-body.ts";
import type { ApiContext } from "./api.ts";
import type { ConsoleConfig } from "./config.ts";
import { cookieOf, FORM_COOKIE, FormTokens } from "./guard.ts";
import { renderDeadLetters } from "./pages/dead-letters.ts";
import { renderIncident } from "./pages/incident.ts";
import { renderList, VIEWS, type View } from "./pages/list.ts";
import { renderSilences } from "./pages/silences.ts";
import { zoneOf } from "./pages/when.ts";
import { type ProblemCode, problemPage, statusOf } from "./problem.ts";
import { silenceFromForm } from "./silence-form.ts";
import { SilenceBody } from "./silences.ts";

export interface PageContext extends ApiContext {
  readonly config: ConsoleConfig;
}

const LIST_MAX = 200;
const LETTERS_SHOWN_MAX = 200;
const VIEW_STATUS: Readonly<Record<View, readonly IncidentStatus[]>> = {
  active: ["open", "acknowledged"],
  ended: ["resolved", "closed"],
  all: ["open", "acknowledged", "resolved", "closed"],
};
const NAMELESS = "console";

const PageQuery = z.object({
  view: z.enum(VIEWS).catch("active"),
  q: z.string().trim().max(200).catch(""),
});

type Form = Readonly<Record<string, string>>;
type ById = { Params: { id: string } };

/** Adds the pages. Errors: `console.unknown-zone`. */
export function addPages(app: FastifyInstance, context: PageContext): void {
  const { projection, actions, silences, config, clock } = context;
  const zone = zoneOf(config.timeZone);
  const tokens = new FormTokens();

  /** The token for the forms of a page; a browser without our cookie gets one. */
  const formToken = (request: FastifyRequest, reply: FastifyReply): string => {
    const held = cookieOf(request.headers.cookie, FORM_COOKIE);
    const cookie = held ?? tokens.newCookie();
    if (held === undefined) reply.header("set-cookie", `${FORM_COOKIE}=${cookie}; Path=/; HttpOnly; SameSite=Strict`);
    return tokens.tokenFor(cookie);
  };
  /** The fields of a form without its token; `undefined` when that is not good. */
  const formOf = (request: FastifyRequest): Form | undefined => {
    const { token, ...fields } = (request.body ?? {}) as Form;
    return tokens.isGood(cookieOf(request.headers.cookie, FORM_COOKIE), token) ? fields : undefined;
  };

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
    const silenced = new Set(
      incidents.filter((each) => projection.silenceOver(each) !== undefined).map(({ id }) => id),
    );
    const page = { incidents, silenced, total, counts: projection.counts(), view, text: q, zone, now: clock.now() };
    return html(reply, renderList(page));
  });

  app.get<ById>("/incidents/:id", (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const page = {
      incident,
      parent: incident.parent === undefined ? undefined : projection.incident(incident.parent),
      children: incident.children.flatMap((id) => projection.incident(id) ?? []),
      actions: projection.actions(incident.id),
      deliveries: projection.deliveries(incident.id),
      silence: projection.silenceOver(incident),
      canSilence: matchOfIncident(incident) !== undefined,
      zone,
      now: clock.now(),
      formToken: formToken(request, reply),
    };
    return html(reply, renderIncident(page));
  });

  app.post<ById>("/incidents/:id/actions", async (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const form = formOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const body = ActionBody.safeParse(actionFromForm(form));
    if (!body.success || misfitOf(body.data, incident, projection.actions(incident.id)) !== undefined) {
      return refuse(reply, "console.bad-request");
    }
    const who = body.data.who ?? NAMELESS;
    const from = { via: "console", address: request.ip } as const;
    await actions.write(actionOf(body.data, { incident: incident.id, who, from, now: clock.now() }));
    return reply.redirect(`/incidents/${incident.id}`, 303);
  });

  app.post<ById>("/incidents/:id/silence", async (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const form = formOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const match = matchOfIncident(incident);
    if (match === undefined) return refuse(reply, "console.bad-request");
    const comment = `asked for on the page of incident ${incident.id.slice(0, 12)}`;
    const made = await silences.add({ match, forMs: SILENCE_FROM_PAGE_MS, who: form["who"] || NAMELESS, comment });
    if (!made.ok) return refuse(reply, made.failure.reason as ProblemCode);
    return reply.redirect(`/incidents/${incident.id}`, 303);
  });

  app.get("/silences", (request, reply) => {
    const page = { silences: projection.silences(), zone, timeZone: config.timeZone, now: clock.now() };
    return html(reply, renderSilences({ ...page, formToken: formToken(request, reply) }));
  });

  app.post("/silences", async (request, reply) => {
    const form = formOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const body = SilenceBody.safeParse(silenceFromForm(form, config.timeZone));
    if (!body.success) return refuse(reply, "console.bad-request");
    const made = await silences.add(body.data);
    return made.ok ? reply.redirect("/silences", 303) : refuse(reply, made.failure.reason as ProblemCode);
  });

  app.post<ById>("/silences/:id/lift", async (request, reply) => {
    const silence = projection.silence(request.params.id);
    if (silence === undefined) return reply.callNotFound();
    const form = formOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    await silences.lift(silence, NAMELESS);
    return reply.redirect("/silences", 303);
  });

  app.get("/dead-letters", (_, reply) =>
    html(reply, renderDeadLetters({ letters: projection.deadLetters(LETTERS_SHOWN_MAX), zone })),
  );
}

function html(reply: FastifyReply, document: string): FastifyReply {
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(document);
}

function refuse(reply: FastifyReply, code: ProblemCode): FastifyReply {
  return html(reply.code(statusOf(code)), problemPage(code));
}
