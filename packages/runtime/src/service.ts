/** What a running part of Culprit looks like from outside, and the answers every process gives to probes. */
import type { Metrics } from "./metrics.ts";

export interface Health {
  readonly state: "starting" | "ok" | "degraded" | "stopping" | "failed";
  /** Why it is not `ok`; for a person. */
  readonly reasons: readonly string[];
}

export const HEALTHY: Health = Object.freeze({ state: "ok", reasons: Object.freeze([]) as readonly string[] });

export interface Service {
  /** Resolves once it does its work. */
  readonly ready: Promise<void>;
  health(): Health;
  /** Drains: stops taking in, finishes what is in work, commits, closes in reverse order. Calling it again changes nothing. */
  stop(): Promise<void>;
  /** Resolves with what went wrong once it cannot go on; the process then stops and exits with an error. */
  readonly failed?: Promise<unknown>;
}

const SEVERITY: readonly Health["state"][] = ["ok", "degraded", "starting", "stopping", "failed"];

/** The worst of several healths, with everybody's reasons. */
export function worstHealth(healths: readonly Health[]): Health {
  const worst = Math.max(0, ...healths.map(({ state }) => SEVERITY.indexOf(state)));
  return { state: SEVERITY[worst] ?? "failed", reasons: healths.flatMap(({ reasons }) => reasons) };
}

/** Several services as one: ready when all are, failed when one is, stopped in the reverse order of the list. */
export function joinServices(services: readonly Service[]): Service {
  const failures = services.flatMap(({ failed }) => (failed === undefined ? [] : [failed]));
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const service of services.toReversed()) await service.stop().catch((error: unknown) => errors.push(error));
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, "some services did not stop");
  };
  return {
    ready: Promise.all(services.map(({ ready }) => ready)).then(() => undefined),
    health: () => worstHealth(services.map((service) => service.health())),
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
    ...(failures.length === 0 ? {} : { failed: Promise.race(failures) }),
  };
}

export interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * The answer to `/metrics`, `/livez` or `/readyz`; `undefined` for any other path.
 * Alive is whoever can still answer and has not failed; ready is who can take work now.
 */
export async function probeAnswer(
  path: string,
  sources: { readonly metrics: Metrics; health(): Health },
): Promise<ProbeAnswer | undefined> {
  if (path === "/metrics") {
    return { status: 200, contentType: sources.metrics.contentType, body: await sources.metrics.text() };
  }
  if (path !== "/livez" && path !== "/readyz") return undefined;
  const health = sources.health();
  const good = path === "/livez" ? health.state !== "failed" : health.state === "ok" || health.state === "degraded";
  return { status: good ? 200 : 503, contentType: "application/json; charset=utf-8", body: JSON.stringify(health) };
}
