/**
 * OTLP's logs in protobuf: a request's log records, each as the JSON that OTLP has for it, and the answers.
 *
 * The outer messages are walked, so that one bad or endless record costs only itself, and only a record at a time is built.
 * Source: opentelemetry-proto, collector/logs/v1 and logs/v1 (field numbers), docs/specification.md.
 */

import { type Decoded, failure, success } from "@culprit/model";
import protobuf from "protobufjs";
import type { LogEntry } from "./otlp-log.ts";

const { Reader, Root, Writer } = protobuf;

const KEY_VALUES = { rule: "repeated", type: "KeyValue" } as const;

const TYPES = Root.fromJSON({
  nested: {
    AnyValue: {
      oneofs: {
        value: {
          oneof: ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"],
        },
      },
      fields: {
        stringValue: { type: "string", id: 1 },
        boolValue: { type: "bool", id: 2 },
        intValue: { type: "int64", id: 3 },
        doubleValue: { type: "double", id: 4 },
        arrayValue: { type: "ArrayValue", id: 5 },
        kvlistValue: { type: "KeyValueList", id: 6 },
        bytesValue: { type: "bytes", id: 7 },
      },
    },
    ArrayValue: { fields: { values: { rule: "repeated", type: "AnyValue", id: 1 } } },
    KeyValueList: { fields: { values: { ...KEY_VALUES, id: 1 } } },
    KeyValue: { fields: { key: { type: "string", id: 1 }, value: { type: "AnyValue", id: 2 } } },
    Resource: { fields: { attributes: { ...KEY_VALUES, id: 1 } } },
    LogRecord: {
      fields: {
        timeUnixNano: { type: "fixed64", id: 1 },
        severityNumber: { type: "int32", id: 2 },
        severityText: { type: "string", id: 3 },
        body: { type: "AnyValue", id: 5 },
        attributes: { ...KEY_VALUES, id: 6 },
        droppedAttributesCount: { type: "uint32", id: 7 },
        flags: { type: "fixed32", id: 8 },
        traceId: { type: "bytes", id: 9 },
        spanId: { type: "bytes", id: 10 },
        observedTimeUnixNano: { type: "fixed64", id: 11 },
        eventName: { type: "string", id: 12 },
      },
    },
  },
});
const LOG_RECORD = TYPES.lookupType("LogRecord");
const RESOURCE = TYPES.lookupType("Resource");
/** As OTLP writes JSON: 64-bit numbers as text; NaN and the infinities as words. */
const AS_JSON = { longs: String, bytes: String, json: true } as const;

const REQUEST_RESOURCE_LOGS = 1;
const RESOURCE_LOGS = { resource: 1, scopeLogs: 2, libraryLogs: 1000 } as const;
const SCOPE_LOGS_RECORDS = 2;
const LENGTH_DELIMITED = 2;

/** A request's log records in order. Errors: throws where the outer messages are no protobuf of OTLP; `readProtobuf` tells. */
export function* protobufLogs(request: Uint8Array): Generator<LogEntry, void, void> {
  for (const resourceLogs of messagesOf(request, [REQUEST_RESOURCE_LOGS])) {
    let host: string | undefined;
    // The resource may stand behind its logs.
    for (const { bytes } of messagesOf(resourceLogs.bytes, [RESOURCE_LOGS.resource])) host = hostOf(bytes) ?? host;
    for (const scope of messagesOf(resourceLogs.bytes, [RESOURCE_LOGS.scopeLogs, RESOURCE_LOGS.libraryLogs])) {
      for (const { bytes } of messagesOf(scope.bytes, [SCOPE_LOGS_RECORDS]))
        yield { log: () => logOf(bytes), bytes, host };
    }
  }
}

/** What a length-delimited field of a message holds, for the fields that are wanted; others are passed over. */
function* messagesOf(
  message: Uint8Array,
  wanted: readonly number[],
): Generator<{ readonly bytes: Uint8Array }, void, void> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const [field, wireType] = [tag >>> 3, tag & 7];
    if (field === 0) throw new Error("field number 0");
    if (!wanted.includes(field)) {
      reader.skipType(wireType);
      continue;
    }
    if (wireType !== LENGTH_DELIMITED) throw new Error(`field ${field} has wire type ${wireType}`);
    yield { bytes: reader.bytes() };
  }
}

function logOf(bytes: Uint8Array): Decoded<unknown> {
  try {
    return success(LOG_RECORD.toObject(LOG_RECORD.decode(bytes), AS_JSON));
  } catch (error) {
    return failure("otlp.record-unreadable", error instanceof Error ? error.message : String(error));
  }
}

function hostOf(resource: Uint8Array): string | undefined {
  const read: unknown = RESOURCE.toObject(RESOURCE.decode(resource), AS_JSON);
  const { attributes = [] } = read as { attributes?: readonly { key?: string; value?: { stringValue?: string } }[] };
  return attributes.find(({ key }) => key === "host.name")?.value?.stringValue;
}

/** `ExportLogsServiceResponse`; empty where nothing was rejected. */
export function protobufResponse(
  rejected: { readonly count: number; readonly message: string } | undefined,
): Uint8Array {
  if (rejected === undefined) return new Uint8Array(0);
  const writer = Writer.create().uint32(10).fork();
  writer.uint32(8).int64(rejected.count).uint32(18).string(rejected.message);
  return writer.ldelim().finish();
}

/** `google.rpc.Status`. */
export function protobufStatus(code: number, message: string): Uint8Array {
  return Writer.create().uint32(8).int32(code).uint32(18).string(message).finish();
}
