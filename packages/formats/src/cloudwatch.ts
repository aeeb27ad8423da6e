/**
 * AWS CloudWatch: subscription messages with `logEvents`, the Firehose envelope around them, and the agent's text form
 * `[System] [ERROR] [7031] [Service Control Manager] [n1] [message]`.
 *
 * Source: FORMATS.md section 10. Firehose's `data` is base64 of gzip: unpacking is the receiver's affair.
 */
import { failure } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { type DecodeContext, type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import { hasAll, objectsIn } from "./json-fields.ts";
import { fieldOf, type JsonObject, textOf } from "./json-text.ts";

export const cloudwatch: Format = {
  name: "cloudwatch",
  sniff: (record) => (record.shape === "json" && logEventsIn(record.value).length > 0 ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    // Health checks of the service carry a message of its own.
    if (fieldOf(record.value, "messageType") === "CONTROL_MESSAGE") return;
    for (const event of logEventsIn(record.value)) {
      const message = textOf(fieldOf(event, "message"));
      if (message === undefined) yield failure("cloudwatch.message-missing", "a log event without a message");
      else yield* context.inner(message, withTime(event, context));
    }
  },
};

/** Those of a subscription, or of the answers of `filter-log-events` and `get-log-events`. */
function logEventsIn(value: JsonObject): readonly JsonObject[] {
  const answer = objectsIn(fieldOf(value, "events"));
  const isAnswer = answer.length > 0 && answer.every((event) => hasAll(event, "message", "timestamp", "ingestionTime"));
  return isAnswer ? answer : objectsIn(fieldOf(value, "logEvents"));
}

/** The service's stamp of a log event stands for one of its own, where the message has none. */
function withTime(event: JsonObject, context: DecodeContext): DecodeContext {
  const time = Number(textOf(fieldOf(event, "timestamp")));
  return Number.isSafeInteger(time) && time > 0 ? { ...context, receivedAt: time } : context;
}

/** The envelope of a Firehose HTTP delivery. */
export const firehose: Format = {
  name: "firehose",
  sniff(record) {
    if (record.shape !== "json" || fieldOf(record.value, "requestId") === undefined) return NO_MATCH;
    return objectsIn(fieldOf(record.value, "records")).some((row) => fieldOf(row, "data") !== undefined)
      ? SURE_MATCH
      : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    for (const row of objectsIn(fieldOf(record.value, "records"))) {
      const bytes = base64(textOf(fieldOf(row, "data")) ?? "");
      if (bytes === undefined) yield failure("firehose.data-unreadable", "data is not base64");
      else if (bytes.startsWith("\u001f\u008b"))
        yield failure("format.compressed", "gzip inside the record: unpack it first");
      else yield* context.inner(utf8(bytes), context);
    }
  },
};

/** Base64 as a string of bytes. */
function base64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

function utf8(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

const TEXT =
  /^\[([^\]\r\n]{1,255})\] \[(CRITICAL|ERROR|WARNING|INFORMATION|VERBOSE|UNKNOWN)\] \[(\d{1,10})\] \[([^\]\r\n]{1,255})\] \[([^\]\r\n]{1,255})\] \[([\s\S]*)$/;

export const cloudwatchText: Format = {
  name: "cloudwatch-text",
  text: { extent: "block", starts: (line) => TEXT.test(line) },
  sniff: (record) => (record.shape === "text" && TEXT.test(record.text) ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const match = TEXT.exec(record.text);
    if (match === null) return;
    const [, channel, level, eventId, provider, computer, message] = match as unknown as readonly string[];
    const text = message?.trimEnd().replace(/\]$/, "");
    const draft = { channel, level, eventId, provider, computer, message: text };
    yield finishEvent({ ...draft, original: record.text, marks: record.marks }, context);
  },
};
