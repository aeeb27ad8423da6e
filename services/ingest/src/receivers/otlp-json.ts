/** OTLP's logs in JSON: a request's log records. Source: opentelemetry-proto, docs/specification.md, section "JSON Protobuf Encoding". */
import { type Decoded, success } from "@culprit/model";
import { RecordLimit } from "../record-limit.ts";
import { soleObject } from "./json-sequence.ts";
import type { LogEntry } from "./otlp-log.ts";

/** Objects in one log record, far above what any has; small objects take more memory parsed than as text. */
const OBJECTS_PER_RECORD = 100;
const OPEN_BRACE = 0x7b;

/**
 * A request's log records in order. A request without any is an empty one; keys that are not known are ignored.
 * Errors: as `soleObject`; throws as `RecordLimit` for far too many objects.
 */
export function jsonLogs(body: Uint8Array, recordsMax: number): Decoded<Iterable<LogEntry>> {
  const limit = new RecordLimit(recordsMax * OBJECTS_PER_RECORD);
  for (let at = body.indexOf(OPEN_BRACE); at !== -1; at = body.indexOf(OPEN_BRACE, at + 1)) limit.add();
  const request = soleObject(body);
  return request.ok ? success(entriesOf(request.value)) : request;
}

function* entriesOf(request: unknown): Generator<LogEntry, void, void> {
  for (const resourceLogs of listOf(request, "resourceLogs")) {
    const host = hostOf(resourceLogs);
    const scopes = [...listOf(resourceLogs, "scopeLogs"), ...listOf(resourceLogs, "instrumentationLibraryLogs")];
    for (const scope of scopes) {
      for (const log of listOf(scope, "logRecords")) yield { log: () => success(log), host };
    }
  }
}

function hostOf(resourceLogs: unknown): string | undefined {
  for (const attribute of listOf(ownOf(resourceLogs, "resource"), "attributes")) {
    if (ownOf(attribute, "key") !== "host.name") continue;
    const name = ownOf(ownOf(attribute, "value"), "stringValue");
    if (typeof name === "string") return name;
  }
  return undefined;
}

function listOf(of: unknown, key: string): readonly unknown[] {
  const value = ownOf(of, key);
  return Array.isArray(value) ? value : [];
}

function ownOf(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null && Object.hasOwn(of, key) ? Reflect.get(of, key) : undefined;
}
