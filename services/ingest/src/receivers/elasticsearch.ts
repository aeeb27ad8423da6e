/**
 * Elasticsearch as its senders see it: `_bulk`, and what Winlogbeat, Elastic Agent, Logstash, Fluent Bit and Vector ask when
 * they connect.
 *
 * Source: FORMATS.md section 3.1. A request is taken whole or not at all; a document that cannot be read is in the dead
 * letters and answered 201, because senders drop what is answered 400 and repeat for ever what is answered 413.
 */
import { randomUUID } from "node:crypto";
import { type Answer, type HttpPost, type HttpRequest, REFUSALS, type Receiver, type Refusal } from "../http/answer.ts";
import { type BulkItem, readBulk } from "./bulk-lines.ts";
import type { ReceiverContext } from "./context.ts";
import { sourceOf } from "./source.ts";

/** The version senders are told: new enough for every Beat that sends here, old enough to know `_license`. */
const VERSION = "8.19.0";
const DEFAULT_INDEX = "culprit";

const INFO = {
  name: "culprit",
  cluster_name: "culprit",
  cluster_uuid: "culprit",
  version: {
    number: VERSION,
    build_flavor: "default",
    build_type: "docker",
    build_hash: "unknown",
    build_date: "2025-01-01T00:00:00Z",
    build_snapshot: false,
    lucene_version: "9.12.0",
    minimum_wire_compatibility_version: "7.17.0",
    minimum_index_compatibility_version: "7.0.0",
  },
  tagline: "You Know, for Search",
};

/** What senders ask for by name; everything else under `/_` is acknowledged. */
const KNOWN: Readonly<Record<string, unknown>> = {
  "/_license": { license: { uid: "culprit", type: "basic", status: "active", mode: "basic" } },
  "/_xpack": { features: { monitoring: { enabled: false } } },
  "/_nodes/ingest": { nodes: {} },
  "/_nodes/http": { nodes: {} },
  "/_cluster/health": { cluster_name: "culprit", status: "green", timed_out: false, number_of_nodes: 1 },
};

const answered = (body: unknown): Answer => ({ status: 200, body });
const acknowledge = ({ path }: HttpRequest): Answer =>
  answered(Object.hasOwn(KNOWN, path) ? KNOWN[path] : { acknowledged: true });

/** The receiver for whatever speaks to Elasticsearch. */
export function elasticsearchReceiver({ intake, recordsMax }: ReceiverContext): Receiver {
  return {
    name: "elasticsearch",
    headers: { "x-elastic-product": "Elasticsearch" },
    routes: [
      { method: "GET", path: "/", access: "credentials", handle: () => answered(INFO) },
      { method: "HEAD", path: "/", access: "credentials", handle: () => ({ status: 200 }) },
      { method: "POST", path: "/_bulk", access: "post", handle: takeBulk },
      { method: "PUT", path: "/_bulk", access: "post", handle: takeBulk },
      { method: "POST", path: "/:index/_bulk", access: "post", handle: takeBulk },
      { method: "PUT", path: "/:index/_bulk", access: "post", handle: takeBulk },
      { method: "GET", path: "/_*", access: "credentials", handle: acknowledge },
      { method: "HEAD", path: "/_*", access: "credentials", handle: () => ({ status: 200 }) },
      { method: "PUT", path: "/_*", access: "post", handle: acknowledge },
      { method: "POST", path: "/_*", access: "post", handle: acknowledge },
    ],
    refuse,
  };

  async function takeBulk(request: HttpPost): Promise<Answer> {
    const began = performance.now();
    const bulk = await readBulk(request.body, { index: request.params["index"] ?? DEFAULT_INDEX, recordsMax });
    if (bulk.items.length === 0) return errorAnswer(400, "parse_exception", "request body is required");
    const allowed = request.token?.indexes;
    const foreign = allowed && bulk.items.find(({ index }) => !allowed.includes(index));
    if (foreign !== undefined) return refuse({ reason: "other-tenant", detail: `index ${foreign.index}` });
    await intake.take({
      receiver: "elasticsearch",
      body: bulk.documents,
      unreadable: bulk.unreadable,
      source: sourceOf(request),
    });
    const wrong = bulk.items.find(({ error }) => error !== undefined);
    if (wrong !== undefined && bulk.items.every(({ error }) => error !== undefined)) {
      return errorAnswer(400, "illegal_argument_exception", wrong.error ?? "");
    }
    const body = bulkBody(bulk.items, { tookMs: Math.ceil(performance.now() - began), failed: wrong !== undefined });
    return { status: 200, headers: JSON_TYPE, body };
  }
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

/**
 * One object per action, in their order. Written as text: senders search it for `"errors":false,"items":[` when it does not
 * fit their buffer, and thousands of objects would be made for nothing.
 */
function bulkBody(items: readonly BulkItem[], { tookMs, failed }: { tookMs: number; failed: boolean }): string {
  const request = randomUUID().slice(0, 8);
  let last: BulkItem | undefined;
  let head = "";
  const answers = items.map((item, i) => {
    const { action, index, id, error } = item;
    if (item !== last) head = `{${JSON.stringify(action)}:{"_index":${JSON.stringify(index)},"_id":`;
    last = item;
    const named = id === undefined ? `"${request}-${i}"` : JSON.stringify(id);
    if (error === undefined) return `${head}${named},"status":201}}`;
    const cause = JSON.stringify({ type: "illegal_argument_exception", reason: error });
    return `${head}${named},"status":400,"error":${cause}}}`;
  });
  return `{"took":${tookMs},"errors":${failed},"items":[${answers.join(",")}]}`;
}

function errorAnswer(status: number, type: string, reason: string): Answer {
  return { status, body: { error: { root_cause: [{ type, reason }], type, reason }, status } };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "illegal_argument_exception",
  401: "security_exception",
  403: "security_exception",
  404: "resource_not_found_exception",
  405: "method_not_allowed_exception",
  413: "content_too_long_exception",
  415: "media_type_header_exception",
  429: "es_rejected_execution_exception",
  503: "unavailable_shards_exception",
};

function refuse({ reason, detail }: Refusal): Answer {
  const { status, text } = REFUSALS[reason];
  return errorAnswer(status, ERROR_TYPES[status] ?? "exception", detail === undefined ? text : `${text}: ${detail}`);
}
