/** The API's part about silences: what stands, what one would cover, adding and lifting. */
import { coversIncident, type Incident, type SilenceMatch } from "@culprit/model";
import type { Clock } from "@culprit/runtime";
import type { FastifyInstance } from "fastify";
import { authorOf } from "./author.ts";
import type { CallerOf } from "./login/gate.ts";
import type { ProblemCode } from "./problem.ts";
import type { Projection } from "./projection.ts";
import { issuesOf, problem } from "./reply.ts";
import { LiftQuery, PreviewBody, SilenceBody, type SilenceWriter, silenceView } from "./silences.ts";

/** Incidents that a preview names; the rest is counted. */
const PREVIEW_MAX = 100;

export interface SilenceContext {
  readonly projection: Projection;
  readonly silences: SilenceWriter;
  readonly clock: Clock;
  readonly callerOf: CallerOf;
}

/** The incidents that are going on and that a silence would keep quiet now, gravest first. */
export function coveredNow(projection: Projection, match: SilenceMatch): readonly Incident[] {
  const query = { status: ["open", "acknowledged"], withChildren: false, sort: "severity" } as const;
  const { incidents } = projection.list({ ...query, offset: 0, limit: Infinity });
  return incidents.filter((incident) => coversIncident(match, incident));
}

export function addSilenceApi(app: FastifyInstance, context: SilenceContext): void {
  const { projection, silences, clock, callerOf } = context;
  app.get("/api/v1/silences", (_, reply) =>
    reply.send({ silences: projection.silences().map((silence) => silenceView(silence, clock.now())) }),
  );

  app.post("/api/v1/silences", async (request, reply) => {
    const body = SilenceBody.safeParse(request.body);
    if (!body.success) return problem(reply, "console.bad-request", issuesOf(body.error));
    const { who, from } = authorOf(request, callerOf(request), { via: "api", who: body.data.who });
    if (who === undefined) return problem(reply, "console.bad-request", "who: say who asks for it");
    const key = request.headers["idempotency-key"];
    const made = await silences.add({ ...body.data, who, origin: from }, typeof key === "string" ? key : undefined);
    if (!made.ok) return problem(reply, made.failure.reason as ProblemCode, made.failure.detail);
    return reply.code(201).send(silenceView(made.value, clock.now()));
  });

  app.post("/api/v1/silences/preview", (request, reply) => {
    const body = PreviewBody.safeParse(request.body);
    if (!body.success) return problem(reply, "console.bad-request", issuesOf(body.error));
    const covered = coveredNow(projection, body.data.match);
    const incidents = covered.slice(0, PREVIEW_MAX).map(({ id, title, severity, status }) => {
      return { id, title, severity, status };
    });
    return reply.send({ total: covered.length, incidents });
  });

  app.delete<{ Params: { id: string } }>("/api/v1/silences/:id", async (request, reply) => {
    const silence = projection.silence(request.params.id);
    if (silence === undefined) return problem(reply, "console.not-found");
    const query = LiftQuery.safeParse(request.query);
    if (!query.success) return problem(reply, "console.bad-request", issuesOf(query.error));
    const { who } = authorOf(request, callerOf(request), { via: "api", who: query.data.who });
    if (who === undefined) return problem(reply, "console.bad-request", "who: say who lifts it");
    return reply.send(silenceView(await silences.lift(silence, who), clock.now()));
  });
}
