/**
 * OpenTelemetry logs over HTTP: `POST /v1/logs` in JSON or protobuf. Answers are in the request's own encoding.
 *
 * Senders repeat 429, 502, 503 and 504 only, and drop the batch on any other error, so a fault of ours is 503.
 * Source: FORMATS.md section 8.
 */
import type { Failure } from "@culprit/model";
import {
  type Answer,
  type HttpPost,
  type HttpRequest,
  headerOf,
  REFUSALS,
  type Receiver,
  type Refusal,
} from "../http/answer.ts";
import type { Input, Intake } from "../intake.ts";
import type { ReceiverContext } from "./context.ts";
import { jsonLogs } from "./otlp-json.ts";
import { type OtlpLogs, recordsOf } from "./otlp-log.ts";
import { protobufLogs, protobufResponse, protobufStatus } from "./otlp-protobuf.ts";
import { sourceOf } from "./source.ts";

const PATH = "/v1/logs";
const PROTOBUF = "application/x-protobuf";
const OPEN_BRACE = 0x7b;

/** What was not taken as an event: kept as dead letters, and not to be sent again. */
export interface Rejected {
  readonly count: number;
  readonly message: string;
}

/** The receiver for whatever speaks OTLP over HTTP. */
export function otlpReceiver({ intake, recordsMax, recordMaxBytes }: ReceiverContext): Receiver {
  return { name: "otlp", routes: [{ method: "POST", path: PATH, access: "post", handle }], refuse };

  async function handle(request: HttpPost): Promise<Answer> {
    const encoding = encodingOf(request, request.body);
    if (encoding === undefined) return refuse({ reason: "contradicting-type", detail: "JSON or protobuf" }, request);
    const from = { receiver: "otlp", source: sourceOf(request) };
    const outcome = await readLogs(request.body, { encoding, recordsMax, recordMaxBytes });
    if ("failure" in outcome) {
      await intake.setAside(request.body, from, outcome.failure);
      return status(encoding, { status: 400, message: outcome.failure.detail });
    }
    return success(encoding, await takeLogs(outcome, from, intake));
  }
}

type Encoding = "json" | "protobuf";

/** Reads a request. Errors: as `RecordLimit`. */
export async function readLogs(
  body: Uint8Array,
  {
    encoding,
    ...limits
  }: { readonly encoding: Encoding; readonly recordsMax: number; readonly recordMaxBytes: number },
): Promise<OtlpLogs | { readonly failure: Failure }> {
  if (body.length === 0) return { records: [], unreadable: [] };
  if (encoding === "json") {
    const entries = jsonLogs(body, limits.recordsMax);
    return entries.ok ? recordsOf(entries.value, limits) : entries;
  }
  try {
    // Walked twice: a request that is cut off anywhere is refused whole, before any of it is stored.
    for (const _ of protobufLogs(body));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { failure: { reason: "otlp.protobuf-unreadable", detail } };
  }
  return recordsOf(protobufLogs(body), limits);
}

/** Stores a request's logs; answers with what was not taken as events. Errors: as `Intake.take`. */
export async function takeLogs(
  { records, unreadable }: OtlpLogs,
  from: Pick<Input, "receiver" | "source">,
  intake: Intake,
): Promise<Rejected | undefined> {
  if (records.length + unreadable.length === 0) return undefined;
  const { failures } = await intake.take({ ...from, records, unreadable });
  const [first] = failures;
  if (first === undefined) return undefined;
  return { count: failures.length, message: `in the dead letters: ${first.reason}: ${first.detail}` };
}

/** By Content-Type; by the first byte where there is none that says anything. */
function encodingOf(request: Pick<HttpRequest, "headers">, body?: Uint8Array): Encoding | undefined {
  const type = (headerOf(request, "content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/[/+]json$/.test(type)) return "json";
  if (/[/.-]protobuf$/.test(type)) return "protobuf";
  if (type !== "" && type !== "application/octet-stream") return undefined;
  return body === undefined || body.find((byte) => byte > 0x20) === OPEN_BRACE ? "json" : "protobuf";
}

function success(encoding: Encoding, rejected: Rejected | undefined): Answer {
  if (encoding === "protobuf") {
    return { status: 200, headers: { "content-type": PROTOBUF }, body: protobufResponse(rejected) };
  }
  if (rejected === undefined) return { status: 200, body: {} };
  const partialSuccess = { rejectedLogRecords: String(rejected.count), errorMessage: rejected.message };
  return { status: 200, body: { partialSuccess } };
}

/** Numbers of google.rpc.Code for what we answer. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 3, 429: 8, 503: 14 };
const CODE_UNKNOWN = 2;

function status(encoding: Encoding, answer: { readonly status: number; readonly message: string }): Answer {
  const code = CODES[answer.status] ?? CODE_UNKNOWN;
  const { message } = answer;
  if (encoding === "json") return { status: answer.status, body: { code, message } };
  return { status: answer.status, headers: { "content-type": PROTOBUF }, body: protobufStatus(code, message) };
}

function refuse({ reason, detail }: Refusal, request: Pick<HttpRequest, "headers">): Answer {
  const { status: usual, text } = REFUSALS[reason];
  const message = detail === undefined ? text : `${text}: ${detail}`;
  return status(encodingOf(request) ?? "json", { status: reason === "internal" ? 503 : usual, message });
}
