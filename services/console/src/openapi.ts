/**
 * The API described for programs: `/api/openapi.json`, made from the schemas that check requests and shape answers.
 * Source: OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
 */
import { Action, DeadLetter, Delivery, Incident, Severity } from "@culprit/model";
import { z } from "zod";
import { ActionBody } from "./action-body.ts";
import { LetterQuery, ListQuery } from "./api.ts";
import { LiftQuery, PreviewBody, SilenceBody, SilenceView } from "./silences.ts";
import { SourceView } from "./sources.ts";
import { StandingView } from "./standing.ts";

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly method: "get" | "post" | "delete";
  /** With `{id}` for a part that varies. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer: { readonly status: number; readonly type?: string; readonly schema?: z.ZodType };
  /** A repeat with the same `Idempotency-Key` changes nothing. */
  readonly repeatable?: boolean;
}

const V1 = "/api/v1";
const Headline = Incident.pick({ id: true, title: true, status: true }).extend({ severity: Severity });

const OPERATIONS: readonly Operation[] = [
  {
    method: "get",
    path: `${V1}/incidents`,
    summary: "The incidents that a query finds",
    query: ListQuery,
    answer: {
      status: 200,
      schema: z.object({ total: z.int(), offset: z.int(), incidents: z.array(Incident) }),
    },
  },
  {
    method: "get",
    path: `${V1}/incidents.csv`,
    summary: "The same as a table for spreadsheets",
    query: ListQuery,
    answer: { status: 200, type: "text/csv" },
  },
  {
    method: "get",
    path: `${V1}/incidents/{id}`,
    summary: "One incident",
    answer: { status: 200, schema: Incident },
  },
  {
    method: "get",
    path: `${V1}/incidents/{id}/actions`,
    summary: "What people did about it, in order",
    answer: { status: 200, schema: z.object({ actions: z.array(Action) }) },
  },
  {
    method: "get",
    path: `${V1}/incidents/{id}/standing`,
    summary: "What people have made of it, and whether it has happened before",
    answer: { status: 200, schema: StandingView },
  },
  {
    method: "get",
    path: `${V1}/sources`,
    summary: "Who sends what, how late, how many; the silent ones first",
    answer: { status: 200, schema: z.object({ sources: z.array(SourceView) }) },
  },
  {
    method: "post",
    path: `${V1}/incidents/{id}/actions`,
    summary:
      "Acknowledges, resolves, reopens, notes, takes an event out or confirms a cause; answered once it is durable",
    body: ActionBody,
    answer: { status: 202, schema: Action },
    repeatable: true,
  },
  {
    method: "get",
    path: `${V1}/incidents/{id}/deliveries`,
    summary: "Who was told of it",
    answer: { status: 200, schema: z.object({ deliveries: z.array(Delivery) }) },
  },
  {
    method: "get",
    path: `${V1}/silences`,
    summary: "Silences, the newest first, also those that ended within 30 days",
    answer: { status: 200, schema: z.object({ silences: z.array(SilenceView) }) },
  },
  {
    method: "post",
    path: `${V1}/silences`,
    summary: "Adds a silence; answered once it is durable",
    body: SilenceBody,
    answer: { status: 201, schema: SilenceView },
    repeatable: true,
  },
  {
    method: "post",
    path: `${V1}/silences/preview`,
    summary: "What a silence would cover of what is going on; changes nothing",
    body: PreviewBody,
    answer: { status: 200, schema: z.object({ total: z.int(), incidents: z.array(Headline) }) },
  },
  {
    method: "delete",
    path: `${V1}/silences/{id}`,
    summary: "Ends a silence before its time",
    query: LiftQuery,
    answer: { status: 200, schema: SilenceView },
  },
  {
    method: "get",
    path: `${V1}/dead-letters`,
    summary: "What could not be understood, the newest first",
    query: LetterQuery,
    answer: { status: 200, schema: z.object({ deadLetters: z.array(DeadLetter.extend({ id: z.string() })) }) },
  },
  {
    method: "get",
    path: `${V1}/stream`,
    summary: "Server-sent events: `incident` with id, revision, title, severity, status; `reset` when some were missed",
    answer: { status: 200, type: "text/event-stream" },
  },
  {
    method: "get",
    path: "/api/openapi.json",
    summary: "This description",
    answer: { status: 200, schema: z.record(z.string(), z.unknown()) },
  },
];

const Problem = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The description as an object. */
export function openApi(): Json {
  const paths: Record<string, Record<string, Json>> = Object.create(null);
  for (const operation of OPERATIONS) {
    const held = paths[operation.path] ?? {};
    held[operation.method] = describe(operation);
    paths[operation.path] = held;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Culprit",
      version: "1",
      description: "Instants are ISO 8601 in UTC unless they are whole numbers.",
    },
    paths,
    components: { schemas: { Problem: schemaOf(Problem, "output") } },
  };
}

function describe({ path, summary, query, body, answer, repeatable }: Operation): Json {
  const inPath = path.includes("{id}")
    ? [{ name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[0-9a-f]{64}$" } }]
    : [];
  const header = { name: "Idempotency-Key", in: "header", required: false, schema: { type: "string" } };
  const parameters = [
    ...inPath,
    ...(query === undefined ? [] : queryParameters(query)),
    ...(repeatable === true ? [header] : []),
  ];
  const { status, type = "application/json", schema } = answer;
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } } }),
    responses: {
      [status]: {
        description: "Done",
        content: { [type]: { schema: schema === undefined ? { type: "string" } : schemaOf(schema, "output") } },
      },
      default: {
        description: "What is wrong",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function queryParameters(query: z.ZodType): readonly Json[] {
  const { properties = {}, required = [] } = schemaOf(query, "input") as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: "query", required: required.includes(name), schema };
  });
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return json;
}
