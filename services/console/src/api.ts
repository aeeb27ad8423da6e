/** The JSON API under /api/v1. Queries are checked: what is not known or out of bounds is 400, never guessed. */
import { IncidentStatus, Severity } from "@culprit/model";
import type { Clock } from "@culprit/runtime";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ActionBody, actionOf, misfitOf } from "./action-body.ts";
import type { ActionWriter } from "./actions.ts";
import { authorOf } from "./author.ts";
import { incidentCsv } from "./incident-csv.ts";
import { problemJson, statusOf } from "./problem.ts";
import { type Projection, SORT_KEYS } from "./projection.ts";
import { issuesOf, problem } from "./reply.ts";
import { addSilenceApi, type SilenceContext } from "./silence-api.ts";
import { sourcesOf } from "./sources.ts";
import { standingView } from "./standing.ts";
import type { EventStream } from "./stream.ts";

const LIMIT_MAX = 500;
const OFFSET_MAX = 100_000;

/** `a,b` or a repeated key as a list. */
function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (typeof value === "string" ? value.split(",") : value), z.array(item).min(1).max(10));
}

const whole = (max: number, whenAbsent: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.int().max(max))
    .default(whenAbsent);

export const ListQuery = z.strictObject({
  status: z.exactOptional(listOf(IncidentStatus)),
  severity: z.exactOptional(listOf(Severity)),
  text: z.exactOptional(z.string().min(1).max(200)),
  children: z.enum(["true", "false"]).default("false"),
  sort: z.enum(SORT_KEYS).default("updated"),
  limit: whole(LIMIT_MAX, 100),
  offset: whole(OFFSET_MAX, 0),
});

export const LetterQuery = z.strictObject({ limit: whole(LIMIT_MAX, 100) });

export interface ApiContext extends SilenceContext {
  readonly projection: Projection;
  readonly clock: Clock;
  readonly actions: ActionWriter;
  readonly stream: EventStream;
}

export function addApi(app: FastifyInstance, context: ApiContext): void {
  const { projection, actions, stream, clock, callerOf } = context;
  addSilenceApi(app, context);
  app.get("/api/v1/incidents", (request, reply) => {
    const query = ListQuery.safeParse(request.query);
    if (!query.success) return problem(reply, "console.bad-request", issuesOf(query.error));
    const { children, ...rest } = query.data;
    const { total, incidents } = projection.list({ ...rest, withChildren: children === "true" });
    return reply.send({ total, offset: rest.offset, incidents });
  });

  app.get("/api/v1/incidents.csv", (request, reply) => {
    const query = ListQuery.safeParse(request.query);
    if (!query.success) return problem(reply, "console.bad-request", issuesOf(query.error));
    const { children, ...rest } = query.data;
    const { incidents } = projection.list({ ...rest, withChildren: children === "true" });
    reply.header("content-disposition", 'attachment; filename="incidents.csv"');
    return reply.type("text/csv; charset=utf-8").send(incidentCsv(incidents));
  });

  app.get<{ Params: { id: string } }>("/api/v1/incidents/:id", (request, reply) => {
    const incident = projection.incidentLike(request.params.id);
    return incident === undefined ? problem(reply, "console.not-found") : reply.send(incident);
  });

  app.get<{ Params: { id: string } }>("/api/v1/incidents/:id/actions", (request, reply) => {
    const incident = projection.incidentLike(request.params.id);
    if (incident === undefined) return problem(reply, "console.not-found");
    return reply.send({ actions: projection.actions(incident.id) });
  });

  app.get<{ Params: { id: string } }>("/api/v1/incidents/:id/standing", (request, reply) => {
    const incident = projection.incidentLike(request.params.id);
    if (incident === undefined) return problem(reply, "console.not-found");
    return reply.send(standingView(projection, incident));
  });

  app.get<{ Params: { id: string } }>("/api/v1/incidents/:id/deliveries", (request, reply) => {
    const incident = projection.incidentLike(request.params.id);
    if (incident === undefined) return problem(reply, "console.not-found");
    return reply.send({ deliveries: projection.deliveries(incident.id) });
  });

  app.post<{ Params: { id: string } }>("/api/v1/incidents/:id/actions", async (request, reply) => {
    const incident = projection.incidentLike(request.params.id);
    if (incident === undefined) return problem(reply, "console.not-found");
    const body = ActionBody.safeParse(request.body);
    if (!body.success) return problem(reply, "console.bad-request", issuesOf(body.error));
    const { who, from } = authorOf(request, callerOf(request), { via: "api", who: body.data.who });
    if (who === undefined) return problem(reply, "console.bad-request", "who: say who does it");
    const misfit = misfitOf(body.data, incident, projection.actions(incident.id));
    if (misfit !== undefined) return problem(reply, "console.bad-request", misfit);
    const key = request.headers["idempotency-key"];
    const action = await actions.write(
      actionOf(body.data, { incident, who, from, now: clock.now() }),
      typeof key === "string" ? key : undefined,
    );
    return reply.code(202).send(action);
  });

  app.get("/api/v1/dead-letters", (request, reply) => {
    const query = LetterQuery.safeParse(request.query);
    if (!query.success) return problem(reply, "console.bad-request", issuesOf(query.error));
    return reply.send({ deadLetters: projection.deadLetters(query.data.limit) });
  });

  app.get("/api/v1/sources", (_, reply) => reply.send({ sources: sourcesOf(projection.sources(), clock.now()) }));

  app.get("/api/v1/stream", (request, reply) => {
    const last = request.headers["last-event-id"];
    reply.hijack();
    const headers = reply.getHeaders();
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.raw.setHeader(name, value);
    if (stream.add(reply.raw, typeof last === "string" ? last : undefined)) return reply;
    const code = "console.too-many-streams";
    reply.raw.writeHead(statusOf(code), { "content-type": "application/json", "retry-after": "5" });
    reply.raw.end(JSON.stringify(problemJson(code)));
    return reply;
  });
}
