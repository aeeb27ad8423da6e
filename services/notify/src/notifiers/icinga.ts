/**
 * Icinga 2: a passive check result for a service of the host, told again before it goes stale. The services are made in
 * Icinga, one for each playbook that is wanted there; an object that does not exist is a person's to make.
 *
 * Source: Icinga 2 API, process-check-result (exit_status 0 to 3, ttl in seconds; each object answers with a code of its
 * own).
 */
import { cut, MINUTE_MS, plainLine, type Severity } from "@culprit/model";
import { z } from "zod";
import { resultOf } from "../http.ts";
import { LOGIN_OPTIONS, loginHeader } from "../http-login.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { causeLine, renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";
import { filledName } from "../subject.ts";

const REPEAT_MS = 5 * MINUTE_MS;
/** Two repeats may be lost before the result goes stale. */
const TTL_SECONDS = 15 * 60;
const OUTPUT_MAX = 8_000;
const EXIT_OK = 0;
const EXITS: Readonly<Record<Severity, number>> = { critical: 2, high: 2, medium: 1, low: 1, info: 0 };
const Template = z.string().min(1).max(255);

export const icinga = notifierKind({
  kind: "icinga",
  isRecord: true,
  keepAliveMs: REPEAT_MS,
  options: z.strictObject({
    /** `https://icinga.corp:5665` */
    url: z.url({ protocol: /^https?$/ }),
    ...LOGIN_OPTIONS,
    /** `{host}` is the full name of the machine, `{short}` the part before its first dot, `{playbook}` the playbook. */
    host: Template.default("{short}"),
    service: Template.default("culprit-{playbook}"),
  }),
  open: (options, { post, now }) => ({
    async send(notification, signal): Promise<SendResult> {
      // Fixed by the first message: the result that ends it has to reach the same object.
      const host = notification.remote["host"] ?? filledName(options.host, notification.incident);
      const service = notification.remote["service"] ?? filledName(options.service, notification.incident);
      const headers = { "content-type": "application/json", accept: "application/json", ...loginHeader(options) };
      const body = JSON.stringify({
        type: "Service",
        filter: "host.name == wanted_host && service.name == wanted_service",
        filter_vars: { wanted_host: host, wanted_service: service },
        ...checkOf(notification),
      });
      const url = `${options.url.replace(/\/+$/, "")}/v1/actions/process-check-result`;
      const answer = await post({ url, headers, body }, signal);
      if (answer.status === 404) {
        return { result: "never", detail: `Icinga has no service "${service}" on "${host}"` };
      }
      const result = resultOf(answer, now(), "delivered");
      return result.result === "ok" ? { ...result, remote: { host, service } } : result;
    },
  }),
});

function checkOf({ action, page, incident, test }: Notification): Readonly<Record<string, unknown>> {
  const isOver = action === "resolve";
  // `|` begins performance data in a plugin's output.
  const head = `${plainLine(titleOf(page, test))}; ${plainLine(causeLine(page))}`;
  const output = cut(`${head}\n${renderContent(page, { width: 80 })}`, OUTPUT_MAX).replaceAll("|", "¦");
  return {
    exit_status: isOver ? EXIT_OK : EXITS[incident.severity],
    plugin_output: output,
    check_source: "culprit",
    ...(isOver ? {} : { ttl: TTL_SECONDS }),
  };
}
