/**
 * Events as text with labels: what Event Viewer copies ("Log Name: … Source: … Date: … Event ID: …", in any language, with
 * `Event Xml:` after it or not), what `wevtutil qe /f:text` prints (`Event[0]:` and indented labels), and what Windows 2000
 * and 2003 show ("Event Type: / Event Source: / …" with `Data:` in
 * bytes or words). Labels may be few, reordered, indented, or written `Level = Error`.
 *
 * Source: FORMATS.md section 14; corpora/ms-supportarticles and corpora/pasted-in-issues.
 */
import { type Decoded, type EventData, namedData, type WindowsEvent } from "@culprit/model";
import { type EventDraft, finishEvent } from "./draft.ts";
import { decodeEventXml } from "./event-xml.ts";
import { type DecodeContext, type Format, type LineSituation, NO_MATCH, SURE_MATCH } from "./format.ts";
import { type Label, type LabelField, readLabel } from "./labels.ts";

export const labelledText: Format = {
  name: "labelled-text",
  text: { extent: "block", starts: startsEvent, takesMarkup: true },
  sniff: (record) => (record.shape === "text" && fieldsOf(record.text).has("eventId") ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    yield decodeLabels(record.text, context, record.marks);
  },
};

/** wevtutil's heading; its word is localised (`Ereignis[0]:`), the bracket is not. */
const EVENT_NUMBER = /^\p{L}{2,20}\[\d{1,9}\]:?\s{0,4}$/u;
/** Labels that a text begins with; the others are words that any text may use. */
const FIRST_LABELS = new Set<LabelField>(["channel", "provider", "eventId", "level"]);
/** Labels that begin an event even inside a record of another format. */
const TELLING_WORDS = new Set(["log name", "event type", "protokollname"]);

/**
 * A new event begins where its first label comes again: whatever label the first event began with, the next will. Inside
 * another format's text only a label that means nothing else begins one.
 */
function startsEvent(line: string, { own, other }: LineSituation): boolean {
  if (EVENT_NUMBER.test(line)) return true;
  // wevtutil numbers its events: its labels begin none.
  if (own?.[0] !== undefined && EVENT_NUMBER.test(own[0])) return false;
  const label = readLabel(line);
  if (label === undefined) return false;
  if (other) return TELLING_WORDS.has(label.word);
  // Windows writes its labels with a capital; `source: …` heads many other things.
  if (own === undefined) return FIRST_LABELS.has(label.field) && !/^\s{0,16}[a-z]/.test(line);
  const first = readLabel(own[0] ?? "");
  // `Type` and `Level` are one field, and both may stand in one event; an id stands once, however it is labelled.
  if (label.word === first?.word || (label.field === "eventId" && first?.field === "eventId")) return true;
  // A line of text among the labels: the description has begun, and a label that begins events begins the next one.
  return TELLING_WORDS.has(label.word) && own.some((held) => held.trim() !== "" && readLabel(held) === undefined);
}

/** Reads a text with labels. Errors: those of `finishEvent`. */
function decodeLabels(text: string, context: DecodeContext, marks: readonly string[]): Decoded<WindowsEvent> {
  const parts = partsOf(text);
  const field = (name: LabelField): string | undefined => withoutPlaceholder(parts.fields.get(name)?.value);
  const date = field("date");
  const clock = field("clock");
  const user = field("user");
  const draft: EventDraft = {
    provider: field("provider"),
    channel: field("channel"),
    computer: field("computer"),
    eventId: field("eventId"),
    level: field("level"),
    keywords: field("keywords"),
    task: field("task"),
    opcode: field("opcode"),
    time: date !== undefined && clock !== undefined ? `${date} ${clock}` : date,
    userId: user?.startsWith("S-1-") === true ? user : undefined,
    data: parts.data,
    message: parts.message,
  };
  // The XML says all that the labels say, and more; where it was cut off, the labels fill in.
  if (parts.xml !== undefined) {
    return decodeEventXml(parts.xml, context, { defaults: draft, original: text, marks });
  }
  return finishEvent({ ...draft, original: text, marks }, context);
}

interface TextParts {
  readonly fields: ReadonlyMap<LabelField, Label>;
  readonly message: string | undefined;
  readonly data: EventData | undefined;
  readonly xml: string | undefined;
}

function partsOf(text: string): TextParts {
  const lines = text.split("\n");
  const fields = new Map<LabelField, Label>();
  const message: string[] = [];
  const bytes: string[] = [];
  let part: "labels" | "message" | "bytes" = "labels";
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    if (/^\s{0,8}<Event[\s>]/.test(line)) {
      const xml = lines.slice(i).join("\n");
      return { fields, message: joined(message), data: binaryOf(bytes), xml };
    }
    const label = readLabel(line);
    if (label?.field === "xml") continue;
    if (label?.field === "binary") part = "bytes";
    else if (part === "bytes") bytes.push(line);
    else if (part === "labels") {
      if (label?.field === "description") {
        part = "message";
        message.push(label.value);
      } else if (label !== undefined) {
        if (!fields.has(label.field)) fields.set(label.field, label);
      } else if (line.trim() !== "" && fields.has("eventId")) {
        // No `Description:` label: the first line that is no label begins the text.
        part = "message";
        message.push(line);
      }
    } else {
      message.push(line);
    }
  }
  return { fields, message: joined(message), data: binaryOf(bytes), xml: undefined };
}

function fieldsOf(text: string): ReadonlyMap<LabelField, Label> {
  return partsOf(text).fields;
}

function joined(lines: readonly string[]): string | undefined {
  const text = lines.join("\n").trim();
  return text === "" ? undefined : text;
}

/** Articles leave `<date>`, `<computer>` and `N/A` where a value was. */
function withoutPlaceholder(value: string | undefined): string | undefined {
  return value === undefined || /^(?:<[\w ]{1,30}>|N\/A|N\/V)?$/i.test(value) ? undefined : value;
}

const BYTES_LINE = /^\s{0,16}[0-9a-f]{4,8}:((?:\s{1,8}[0-9a-f]{2}){1,16})(?:\s|$)/i;
const WORDS_LINE = /^\s{0,16}[0-9a-f]{4,8}:((?:\s{1,8}[0-9a-f]{8}){1,8})(?:\s|$)/i;

/** `0000: 04 00 22 00` are bytes; `0000: 00220004` are little-endian words. */
function binaryOf(lines: readonly string[]): EventData | undefined {
  let hex = "";
  for (const line of lines) {
    const words = WORDS_LINE.exec(line)?.[1];
    const bytes = BYTES_LINE.exec(line)?.[1];
    if (words !== undefined) {
      for (const word of words.trim().split(/\s+/)) hex += (word.match(/../g) ?? []).reverse().join("");
    } else if (bytes !== undefined) {
      hex += bytes.replace(/\s/g, "");
    }
  }
  return hex === "" ? undefined : namedData([["Binary", hex.toUpperCase()]]);
}
