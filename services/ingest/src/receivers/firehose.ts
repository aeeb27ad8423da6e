/**
 * Amazon Data Firehose to an HTTP endpoint: `/firehose`. Its records are base64, gzip inside where CloudWatch Logs is the
 * source. A delivery is taken whole or not at all; anything but 200 is sent again.
 *
 * Source: FORMATS.md section 10; AWS, "HTTP endpoint delivery request and response specifications".
 */
import { clip, type Failure } from "@culprit/model";
import type { FramedRecord } from "../framed-records.ts";
import { type Answer, type HttpPost, headerOf, REFUSALS, type Receiver, type Refusal } from "../http/answer.ts";
import { RecordLimit } from "../record-limit.ts";
import { unpack } from "../unpack.ts";
import type { ReceiverContext } from "./context.ts";
import { sourceOf } from "./source.ts";

const RECEIVER = "firehose";
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

interface Delivery {
  readonly requestId: string;
  readonly timestamp: number;
  readonly data: readonly unknown[];
}

interface Unreadable {
  readonly record: Uint8Array;
  readonly failure: Failure;
}

/** The receiver for Firehose's deliveries. */
export function firehoseReceiver({ intake, recordsMax, budget, limits }: ReceiverContext): Receiver {
  return {
    name: RECEIVER,
    routes: [{ method: "POST", path: "/firehose", access: "post", handle }],
    refuse,
  };

  async function handle(request: HttpPost): Promise<Answer> {
    const delivery = deliveryOf(request.body);
    const from = { receiver: RECEIVER, source: sourceOf(request) };
    if (delivery === undefined) {
      const failure = { reason: "firehose.not-a-delivery", detail: "neither requestId and timestamp nor records" };
      await intake.setAside(request.body, from, failure);
      return answer(400, headerOf(request, "x-amz-firehose-request-id") ?? "", 0, failure.detail);
    }
    new RecordLimit(recordsMax).add(delivery.data.length);
    const lease = budget.lease();
    try {
      const records: FramedRecord[] = [];
      const unreadable: Unreadable[] = [];
      let unpackedBytes = 0;
      for (const data of delivery.data) {
        const left = limits.unpackedMaxBytes - unpackedBytes;
        const read = await recordOf(data, { ...limits, unpackedMaxBytes: left }, lease.grow);
        if (read === "busy") return refuse({ reason: "busy" }, request);
        if ("failure" in read) unreadable.push(read);
        else {
          unpackedBytes += read.bytes.length;
          records.push(read);
        }
      }
      await intake.take({ ...from, records, unreadable });
    } finally {
      lease.release();
    }
    return answer(200, delivery.requestId, delivery.timestamp);
  }
}

function deliveryOf(body: Uint8Array): Delivery | undefined {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null || !("requestId" in read) || !("records" in read)) return undefined;
  const { requestId, records } = read;
  const timestamp = "timestamp" in read && typeof read.timestamp === "number" ? read.timestamp : 0;
  if (typeof requestId !== "string" || !Array.isArray(records)) return undefined;
  const data = records.map((record: unknown) =>
    typeof record === "object" && record !== null && "data" in record ? record.data : undefined,
  );
  return { requestId, timestamp, data };
}

async function recordOf(
  data: unknown,
  limits: ReceiverContext["limits"],
  hold: (bytes: number) => boolean,
): Promise<FramedRecord | Unreadable | "busy"> {
  if (typeof data !== "string" || !BASE64.test(data)) {
    const record = new TextEncoder().encode(typeof data === "string" ? data : "");
    return { record, failure: { reason: "firehose.data-unreadable", detail: "data is not base64" } };
  }
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { bytes };
  const unpacked = await unpack(bytes, "gzip", { limits, hold });
  if (unpacked.ok) return { bytes: unpacked.bytes };
  if (unpacked.reason === "no-room") return "busy";
  return { record: bytes, failure: { ...NOT_UNPACKED[unpacked.reason], detail: unpacked.detail } };
}

const NOT_UNPACKED = {
  "too-large": { reason: "firehose.unpacks-too-large" },
  broken: { reason: "firehose.broken-packing" },
} as const;

function answer(status: number, requestId: string, timestamp: number, errorMessage?: string): Answer {
  return { status, body: { requestId, timestamp, ...(errorMessage === undefined ? {} : { errorMessage }) } };
}

function refuse({ reason, detail }: Refusal, request: Pick<HttpPost, "headers">): Answer {
  const { status, text } = REFUSALS[reason];
  const requestId = clip(headerOf(request, "x-amz-firehose-request-id") ?? "");
  return answer(status, requestId, 0, detail === undefined ? text : `${text}: ${detail}`);
}
