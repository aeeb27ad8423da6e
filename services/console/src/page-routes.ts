/** The pages for people and the forms on them. Every form carries a token that belongs to the browser's cookie. */
import { type IncidentStatus, matchOfIncident, SILENCE_FROM_PAGE_MS } from "@culprit/model";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ActionBody, actionFromForm, actionOf, misfitOf } from "./action-body.ts";
import type { ApiContext } from "./api.ts";
import { authorOf } from "./author.ts";
import type { ConsoleConfig } from "./config.ts";
import type { FormGuard } from "./form-guard.ts";
import { renderDeadLetters } from "./pages/dead-letters.ts";
import { renderIncident } from "./pages/incident.ts";
import type { Viewer } from "./pages/layout.ts";
import { renderList, VIEWS, type View } from "./pages/list.ts";
import { type Preview, renderSilences } from "./pages/silences.ts";
import { renderSources } from "./pages/sources.ts";
import { zoneOf } from "./pages/when.ts";
import { type ProblemCode, problemPage, statusOf } from "./problem.ts";
import { issuesOf } from "./reply.ts";
import { coveredNow } from "./silence-api.ts";
import { silenceFromForm } from "./silence-form.ts";
import { PreviewBody, SilenceBody } from "./silences.ts";
import { sourcesOf } from "./sources.ts";

export interface PageContext extends ApiContext {
  readonly config: ConsoleConfig;
  readonly forms: FormGuard;
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

type ById = { Params: { id: string } };

/** Adds the pages. Errors: `console.unknown-zone`. */
export function addPages(app: FastifyInstance, context: PageContext): void {
  const { projection, actions, silences, config, clock, forms, callerOf } = context;
  const zone = zoneOf(config.timeZone);

  /** What every page needs of who looks at it. */
  const frame = (request: FastifyRequest, reply: FastifyReply): { formToken: string; viewer: Viewer | undefined } => {
    const formToken = forms.tokenFor(request, reply);
    const caller = callerOf(request);
    return { formToken, viewer: caller.kind === "person" ? { name: caller.name, formToken } : undefined };
  };
  const author = (request: FastifyRequest, claimed: string | undefined) => {
    const { who, from } = authorOf(request, callerOf(request), { via: "console", who: claimed || NAMELESS });
    return { who: who ?? NAMELESS, from };
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
    return html(reply, renderList({ ...page, ...frame(request, reply) }));
  });

  app.get<ById>("/incidents/:id", (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const page = {
      incident,
      parent: incident.parent === undefined ? undefined : projection.incident(incident.parent),
      children: incident.children.flatMap((id) => projection.incident(id) ?? []),
      actions: projection.actions(incident.id),
      standing: projection.standing(incident.id),
      recurrence: projection.recurrence(incident),
      deliveries: projection.deliveries(incident.id),
      silence: projection.silenceOver(incident),
      canSilence: matchOfIncident(incident) !== undefined,
      zone,
      now: clock.now(),
    };
    return html(reply, renderIncident({ ...page, ...frame(request, reply) }));
  });

  app.post<ById>("/incidents/:id/actions", async (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const form = forms.fieldsOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const body = ActionBody.safeParse(actionFromForm(form));
    if (!body.success || misfitOf(body.data, incident, projection.actions(incident.id)) !== undefined) {
      return refuse(reply, "console.bad-request");
    }
    await actions.write(actionOf(body.data, { incident, ...author(request, body.data.who), now: clock.now() }));
    return reply.redirect(`/incidents/${incident.id}`, 303);
  });

  app.post<ById>("/incidents/:id/silence", async (request, reply) => {
    const incident = projection.incident(request.params.id);
    if (incident === undefined) return reply.callNotFound();
    const form = forms.fieldsOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const match = matchOfIncident(incident);
    if (match === undefined) return refuse(reply, "console.bad-request");
    const { who, from: origin } = author(request, form["who"]);
    const comment = `asked for on the page of incident ${incident.id.slice(0, 12)}`;
    const made = await silences.add({ match, forMs: SILENCE_FROM_PAGE_MS, who, comment, origin });
    if (!made.ok) return refuse(reply, made.failure.reason as ProblemCode);
    return reply.redirect(`/incidents/${incident.id}`, 303);
  });

  const silencePage = (request: FastifyRequest, reply: FastifyReply, preview?: Preview): FastifyReply => {
    const page = { silences: projection.silences(), zone, timeZone: config.timeZone, now: clock.now(), preview };
    return html(reply, renderSilences({ ...page, ...frame(request, reply) }));
  };
  app.get("/silences", (request, reply) => silencePage(request, reply));

  app.post("/silences/preview", (request, reply) => {
    const fields = forms.fieldsOf(request);
    if (fields === undefined) return refuse(reply, "console.bad-form-token");
    const { match } = silenceFromForm(fields, config.timeZone) as { match: unknown };
    const body = PreviewBody.safeParse({ match });
    const wrong = body.success ? undefined : issuesOf(body.error);
    const covered = body.success ? coveredNow(projection, body.data.match) : [];
    return silencePage(request, reply, { fields, covered, wrong });
  });

  app.post("/silences", async (request, reply) => {
    const form = forms.fieldsOf(request);
    if (form === undefined) return refuse(reply, "console.bad-form-token");
    const { who: claimed, ...given } = silenceFromForm(form, config.timeZone) as { who?: string };
    const body = SilenceBody.safeParse(given);
    const isNamed = claimed !== undefined && claimed.trim() !== "";
    if (!body.success || (!isNamed && callerOf(request).kind === "anyone")) return refuse(reply, "console.bad-request");
    const { who, from: origin } = author(request, claimed);
    const made = await silences.add({ ...body.data, who: who.slice(0, 100), origin });
    return made.ok ? reply.redirect("/silences", 303) : refuse(reply, made.failure.reason as ProblemCode);
  });

  app.post<ById>("/silences/:id/lift", async (request, reply) => {
    const silence = projection.silence(request.params.id);
    if (silence === undefined) return reply.callNotFound();
    if (forms.fieldsOf(request) === undefined) return refuse(reply, "console.bad-form-token");
    await silences.lift(silence, author(request, undefined).who);
    return reply.redirect("/silences", 303);
  });

  app.get("/sources", (request, reply) => {
    const sources = sourcesOf(projection.sources(), clock.now());
    return html(reply, renderSources({ sources, zone, ...frame(request, reply) }));
  });

  app.get("/dead-letters", (request, reply) => {
    const letters = projection.deadLetters(LETTERS_SHOWN_MAX);
    return html(reply, renderDeadLetters({ letters, zone, ...frame(request, reply) }));
  });
}

function html(reply: FastifyReply, document: string): FastifyReply {
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(document);
}

function refuse(reply: FastifyReply, code: ProblemCode): FastifyReply {
  return html(reply.code(statusOf(code)), problemPage(code));
}
