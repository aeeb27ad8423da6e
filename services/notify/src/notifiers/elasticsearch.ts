/**
 * Elasticsearch or OpenSearch: each change of an incident as a document whose id is made of its content, so that a repeat
 * is refused as a conflict and changes nothing. Data streams take it, because it is only ever created.
 *
 * Source: Elasticsearch bulk API (200 with `errors`: each item has its own status; 429 is tried again, 409 is a repeat).
 */
import { contentId, isoOf, plainLine } from "@culprit/model";
import { z } from "zod";
import { type HttpAnswer, resultOf } from "../http.ts";
import { LOGIN_OPTIONS, loginHeader } from "../http-login.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { causeLine } from "../page.ts";

const CONFLICT = 409;
const Item = z.object({ status: z.int(), error: z.exactOptional(z.unknown()) });
const BulkAnswer = z.object({ errors: z.boolean(), items: z.array(z.record(z.string(), Item)) });

export const elasticsearch = notifierKind({
  kind: "elasticsearch",
  isRecord: true,
  options: z.strictObject({
    url: z.url({ protocol: /^https?$/ }),
    ...LOGIN_OPTIONS,
    /** An index, an alias or a data stream. */
    index: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,200}$/)
      .default("culprit-incidents"),
  }),
  open: (options, { post, now }) => ({
    async send(notification, signal) {
      const headers = { "content-type": "application/x-ndjson", ...loginHeader(options, "ApiKey") };
      const meta = { create: { _index: options.index, _id: idOf(notification) } };
      const body = `${JSON.stringify(meta)}\n${JSON.stringify(documentOf(notification))}\n`;
      const answer = await post({ url: `${options.url.replace(/\/+$/, "")}/_bulk`, headers, body }, signal);
      return answer.status === 200 ? resultOfItem(answer, now()) : resultOf(answer, now(), "delivered");
    },
  }),
});

/** The same for every attempt of one message, another for each message. */
function idOf({ key, action, reason, since }: Notification): string {
  return contentId("document", key, action, reason, String(since));
}

function documentOf({ action, reason, key, page, incident, at, test }: Notification): unknown {
  return {
    "@timestamp": isoOf(at),
    event: {
      kind: "alert",
      action: `incident-${action}`,
      reason,
      ...(page.link === undefined ? {} : { url: page.link }),
    },
    message: plainLine(`${page.label} ${page.title}. ${causeLine(page)}`),
    culprit: { key, test, incident },
  };
}

/** A bulk request is taken as a whole; what became of its one document stands inside. */
function resultOfItem(answer: HttpAnswer, now: number): SendResult {
  let read: ReturnType<typeof BulkAnswer.safeParse>;
  try {
    read = BulkAnswer.safeParse(JSON.parse(answer.body));
  } catch {
    return { result: "never", detail: "the answer is not that of a bulk request" };
  }
  const item = read.success ? Object.values(read.data.items[0] ?? {})[0] : undefined;
  if (item === undefined) return { result: "never", detail: "the answer is not that of a bulk request" };
  if (item.status === CONFLICT) return { result: "ok", certainty: "delivered" };
  const said = item.error === undefined ? "" : JSON.stringify(item.error);
  return resultOf({ status: item.status, headers: answer.headers, body: said }, now, "delivered");
}
