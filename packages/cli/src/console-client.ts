/** Asks a running console over its API, with a token where it wants one. */
import { readFile } from "node:fs/promises";
import { Fault, plainLine } from "@culprit/model";
import { z } from "zod";

export interface ConsoleOptions {
  /** Where the console answers. */
  readonly console: string;
  /** A file that holds one of `console.tokens`. */
  readonly tokenFile?: string;
}

export interface ConsoleRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: unknown;
}

const TIMEOUT_MS = 15_000;
const Problem = z.object({ error: z.object({ message: z.string() }) });

/** Asks, and answers what it said. Errors: `console.no-answer`, `console.refused`, `input.missing` for the token's file. */
export async function askConsole(options: ConsoleOptions, { method, path, body }: ConsoleRequest): Promise<unknown> {
  const headers = {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(options.tokenFile === undefined ? {} : { authorization: `Bearer ${await tokenIn(options.tokenFile)}` }),
  };
  const request = { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const response = await fetch(new URL(`/api/v1${path}`, options.console), {
    ...request,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    const message = `no console answers at ${options.console}; name another with --console`;
    throw new Fault("console.no-answer", message, { cause });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const problem = Problem.safeParse(answer);
  const why = problem.success ? problem.data.error.message : `HTTP ${response.status}`;
  throw new Fault("console.refused", plainLine(`the console refuses: ${why}`));
}

async function tokenIn(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("input.missing", `${file} cannot be read`, { cause });
  });
  return text.trim();
}
