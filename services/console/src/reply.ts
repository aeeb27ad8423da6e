/** Answers of the API that say what is wrong with a request. */
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { type ProblemCode, problemJson, statusOf } from "./problem.ts";

/** Answers with a problem of the catalogue. */
export function problem(reply: FastifyReply, code: ProblemCode, detail?: string): FastifyReply {
  return reply.code(statusOf(code)).send(problemJson(code, detail));
}

/** `limit: too big` for each thing that is wrong, without the value. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "request"}: ${message}`).join("; ");
}
