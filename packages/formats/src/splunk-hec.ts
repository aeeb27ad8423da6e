/**
 * Splunk HEC envelopes: `{"time", "host", "source", "sourcetype", "event"}` around event XML, classic text or JSON.
 *
 * Source: FORMATS.md section 5. Metadata that one object hands on to the next in a request is the receiver's affair.
 */
import { type Decoded, failure, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type DecodeContext, type Format, LIKELY_MATCH, NO_MATCH } from "./format.ts";
import { dataOfObject } from "./json-data.ts";
import { fieldOf, isObject, type JsonObject, textOf } from "./json-text.ts";
import { decodeSplunkText, isSplunkText } from "./splunk-text.ts";

export const splunkHec: Format = {
  name: "splunk-hec",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const { value } = record;
    const event = fieldOf(value, "event");
    if (typeof event !== "string" && !isObject(event)) return NO_MATCH;
    // ECS has an object named `event` too.
    if (fieldOf(value, "winlog") !== undefined || fieldOf(value, "@timestamp") !== undefined) return NO_MATCH;
    const envelope = ["time", "host", "source", "sourcetype", "index", "fields"].some(
      (name) => fieldOf(value, name) !== undefined,
    );
    return envelope || Object.keys(value).length === 1 ? LIKELY_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode(record, context) {
    if (record.shape !== "json") return;
    const carrier = carrierOf(record.value);
    const event = fieldOf(record.value, "event");
    const within: DecodeContext = carrier.host === undefined ? context : { ...context, host: carrier.host };
    const options = { original: record.text, marks: record.marks };
    if (typeof event === "string") {
      if (/^[\s-]{0,16}(?:<|&lt;)(?:Event|\?xml)/.test(event)) {
        yield decodeEventXml(event, within, { ...options, received: carrier.time });
      } else if (isSplunkText(event)) {
        yield decodeSplunkText(event, within, { ...options, time: carrier.time });
      } else {
        yield* context.inner(event, within);
      }
    } else if (isObject(event)) {
      yield* decodeObject(event, carrier, within, record.text);
    }
  },
};

interface Carrier {
  readonly time: string | undefined;
  readonly host: string | undefined;
  /** `WinEventLog:System` names the log. */
  readonly log: string | undefined;
}

function carrierOf(value: JsonObject): Carrier {
  const source = textOf(fieldOf(value, "source")) ?? textOf(fieldOf(value, "sourcetype"));
  return {
    time: textOf(fieldOf(value, "time")),
    host: textOf(fieldOf(value, "host")),
    log: /^(?:Xml)?WinEventLog:(.{1,255})$/i.exec(source ?? "")?.[1],
  };
}

/** An event given as an object: a forwarder's own JSON, or fields named as Splunk's add-on names them. */
function* decodeObject(
  event: JsonObject,
  carrier: Carrier,
  context: DecodeContext,
  original: string,
): Iterable<Decoded<WindowsEvent>> {
  if (fieldOf(event, "EventCode") === undefined || fieldOf(event, "InsertionStrings") !== undefined) {
    const inner = [...context.inner(JSON.stringify(event), context)];
    if (inner.length > 0) return yield* inner;
    yield failure("splunk-hec.empty", "the event object holds nothing");
    return;
  }
  yield finishEvent({ ...draftOfFields(event, carrier), original }, context);
}

const FIELD_NAMES = new Set([
  ...["EventCode", "SourceName", "LogName", "ComputerName", "RecordNumber", "Type", "EventType", "Keywords"],
  ...["TaskCategory", "OpCode", "Message", "Sid", "SidType", "User", "dvc", "signature_id"],
]);

function draftOfFields(event: JsonObject, carrier: Carrier): EventDraft {
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const found = textOf(fieldOf(event, name));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    provider: text("SourceName", "Name", "ProviderName"),
    channel: text("LogName", "Channel") ?? carrier.log,
    computer: text("ComputerName", "Computer", "dvc"),
    eventId: text("EventCode"),
    level: text("Type", "Level", "EventType"),
    keywords: text("Keywords"),
    task: text("TaskCategory"),
    opcode: text("OpCode"),
    time: text("TimeCreated", "TimeGenerated") ?? carrier.time,
    received: carrier.time,
    recordId: text("RecordNumber", "EventRecordID"),
    userId: text("Sid"),
    data: dataOfObject(event, FIELD_NAMES),
    message: text("Message"),
  };
}
