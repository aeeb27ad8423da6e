/**
 * Loki's push API, `/loki/api/v1/push`: what Grafana Alloy and Promtail send, protobuf packed with Snappy, or JSON. Each line
 * is a record; the computer may stand among the labels of its stream.
 *
 * Source: FORMATS.md section 11; grafana/loki, pkg/push/push.proto (field numbers). 204 is success; Alloy repeats 429 and 5xx.
 */
import { clip, type Decoded, failure } from "@culprit/model";
import protobuf from "protobufjs";
import snappy from "snappyjs";
import { z } from "zod";
import type { FramedRecord } from "../framed-records.ts";
import { type Answer, type HttpPost, headerOf, REFUSALS, type Receiver, type Refusal } from "../http/answer.ts";
import { RecordLimit } from "../record-limit.ts";
import type { ReceiverContext } from "./context.ts";
import { sourceOf } from "./source.ts";

const RECEIVER = "loki";
const STREAMS = 1;
const LABELS = 1;
const ENTRIES = 2;
const LINE = 2;
const BYTES = 2;
/** The labels that may name the computer, the likelier first. */
const HOST_LABELS = ["computer", "host", "hostname", "instance"];

/** The receiver for Loki's clients. */
export function lokiReceiver({ intake, recordsMax, budget, limits }: ReceiverContext): Receiver {
  return {
    name: RECEIVER,
    routes: [{ method: "POST", path: "/loki/api/v1/push", access: "post", handle }],
    refuse,
  };

  async function handle(request: HttpPost): Promise<Answer> {
    const { body } = request;
    if (body.length === 0) return { status: 400, body: { error: "the body is empty" } };
    const from = { receiver: RECEIVER, source: sourceOf(request) };
    const isJson = /[/+]json/.test(headerOf(request, "content-type") ?? "");
    const lease = budget.lease();
    try {
      const size = isJson ? 0 : unpackedSize(body);
      if (size > limits.unpackedMaxBytes) return refuse({ reason: "unpacks-too-large" });
      if (!lease.grow(size)) return refuse({ reason: "busy" });
      const push = readable(() => (isJson ? jsonPush(body) : protobufPush(snappy.uncompress(body, size))));
      if (!push.ok) {
        await intake.setAside(body, from, push.failure);
        return refuse({ reason: "broken-encoding", detail: push.failure.detail });
      }
      new RecordLimit(recordsMax).add(push.value.length);
      await intake.take({ ...from, records: push.value });
      return { status: 204 };
    } finally {
      lease.release();
    }
  }
}

/** What the libraries throw for bytes that are not theirs, as a value. */
function readable(read: () => readonly FramedRecord[]): Decoded<readonly FramedRecord[]> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    return failure("loki.push-unreadable", clip(error instanceof Error ? error.message : String(error)));
  }
}

/** Snappy's block begins with its unpacked size as a varint of 32 bits. */
function unpackedSize(bytes: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = bytes[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  return size;
}

/** The lines of `{"streams":[{"stream":{…},"values":[["time","line"],…]}]}`. Errors: for what is no such object. */
function jsonPush(bytes: Uint8Array): readonly FramedRecord[] {
  const { streams } = JsonPush.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return streams.flatMap(({ stream, values }) => {
    const host = hostOf(new Map(Object.entries(stream)));
    return values.map(([, line]) => recordOf(new TextEncoder().encode(line), host));
  });
}

const JsonPush = z.object({
  streams: z.array(
    z.object({
      stream: z.record(z.string(), z.string()).default({}),
      values: z.array(z.tuple([z.string(), z.string()], z.unknown())),
    }),
  ),
});

/** The lines of a push request in protobuf. Errors: what the reader throws for bytes that are none. */
function protobufPush(bytes: Uint8Array): readonly FramedRecord[] {
  const records: FramedRecord[] = [];
  for (const stream of fieldsOf(bytes, STREAMS)) {
    const labels = [...fieldsOf(stream, LABELS)][0];
    const host = labels === undefined ? undefined : hostIn(new TextDecoder().decode(labels));
    for (const entry of fieldsOf(stream, ENTRIES)) {
      for (const line of fieldsOf(entry, LINE)) if (line.length > 0) records.push(recordOf(line, host));
    }
  }
  return records;
}

function recordOf(bytes: Uint8Array, host: string | undefined): FramedRecord {
  return host === undefined ? { bytes } : { bytes, host };
}

/** The values of one field of bytes; all others are passed over. */
function* fieldsOf(message: Uint8Array, field: number): Generator<Uint8Array> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === BYTES) yield reader.bytes();
    else reader.skipType(tag & 7);
  }
}

/** `{computer="n1", job="windows"}`. */
function hostIn(labels: string): string | undefined {
  const found = new Map<string, string>();
  for (const match of labels.matchAll(/([A-Za-z_]\w{0,63})="((?:[^"\\]|\\.){0,300})"/g)) {
    found.set(match[1] as string, match[2] as string);
  }
  return hostOf(found);
}

function hostOf(labels: ReadonlyMap<string, string>): string | undefined {
  return HOST_LABELS.map((label) => labels.get(label)).find((host) => host !== undefined && host !== "");
}

function refuse({ reason, detail }: Refusal): Answer {
  const { status, text } = REFUSALS[reason];
  return { status, body: { error: detail === undefined ? text : `${text}: ${detail}` } };
}
