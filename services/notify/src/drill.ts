/** A drill: sends a page that says it is one, to see that a target is set up well. */
import { contentId, type Incident, type IncidentId, isoOf, MINUTE_MS } from "@culprit/model";
import { zoneOf } from "./config.ts";
import { resultOfFault } from "./http.ts";
import type { SendResult } from "./notifier.ts";
import { composePage } from "./page-content.ts";
import { type NotifyOptions, openNotifiers } from "./service.ts";
import { templatesOf } from "./template.ts";

const TIMEOUT_MS = 30_000;

/**
 * Opens a page at one target and closes it again.
 * Shape: what the target answered to each, the resolve only where the page was taken; `undefined` for an unknown name.
 * Errors: those of `openNotifiers`.
 */
export async function sendTest(
  options: Pick<NotifyOptions, "config" | "clock" | "write" | "kinds">,
  target: string,
): Promise<readonly SendResult[] | undefined> {
  const notifier = openNotifiers(options).get(target);
  if (notifier === undefined) return undefined;
  const at = options.clock.now();
  const { consoleUrl } = options.config;
  const timeZone = zoneOf(options.config, target);
  const incident = drillIncident(at);
  const results: SendResult[] = [];
  let remote: Readonly<Record<string, string>> = {};
  for (const action of ["trigger", "resolve"] as const) {
    const now: Incident =
      action === "trigger" ? incident : { ...incident, revision: 2, status: "closed", endedAt: isoOf(at) };
    const words = templatesOf(options.config).get(target);
    const usual = composePage(now, { timeZone, now: isoOf(at), ...(consoleUrl === undefined ? {} : { consoleUrl }) });
    const page = words?.(usual, now) ?? usual;
    const notification = {
      key: incident.id,
      action,
      reason: "test",
      incident: now,
      page,
      remote,
      at,
      since: at,
      test: true,
    };
    const result = await notifier.send(notification, AbortSignal.timeout(TIMEOUT_MS)).catch(resultOfFault);
    results.push(result);
    if (result.result !== "ok") break;
    remote = { ...remote, ...result.remote };
  }
  await notifier.close?.();
  return results;
}

/**
 * An incident that cannot be taken for a real one, with every part a page has.
 * @internal
 */
export function drillIncident(at: number): Incident {
  const when = isoOf(at - MINUTE_MS);
  const id = contentId("drill", String(at)) as IncidentId;
  return {
    id,
    revision: 1,
    playbook: "drill",
    playbookVersion: 1,
    programHash: id,
    title: "TEST01 does not exist: this page is a drill",
    severity: "low",
    status: "open",
    verdict: "confirmed",
    settled: true,
    scope: [{ kind: "host", id: "test01.example", role: "nobody" }],
    startedAt: when,
    detectedAt: when,
    updatedAt: when,
    causes: [
      {
        id: "drill",
        title: "Someone tries out this target",
        summary: "Nothing is broken.",
        share: 0.95,
        points: 30,
        for: [{ points: 30, text: "a test was asked for", events: [] }],
        against: [],
        missing: [],
        actions: ["Nothing to do: if you can read this, the target works"],
        references: [],
      },
      {
        id: "unknown",
        title: "Not known",
        summary: "",
        share: 0.05,
        points: 0,
        for: [],
        against: [],
        missing: [],
        actions: [],
        references: [],
      },
    ],
    notCauses: [],
    facts: ["nothing is down"],
    timeline: [],
    unknown: [],
    children: [],
    occurrences: 1,
    first: when,
    last: when,
  };
}
