/**
 * A cheap look at event XML as bytes: the event id, and only where that may be wanted the provider and the channel, by
 * searching for their tags.
 *
 * A tag in the text of an event is escaped (`&lt;EventID`), so the bytes `<EventID` stand only where an element begins, or
 * inside CDATA and comments, which are not judged; nor is a record in which the word stands anywhere but in such tags. All
 * event ids found count: one that is wanted is enough.
 */
import { hasOtherName } from "./provider-alias.ts";
import type { Selection } from "./selection.ts";

const DECLARATION = Buffer.from("<!");
const EVENT_ID = Buffer.from("EventID");
const PROVIDER = Buffer.from("Provider");
const CHANNEL = Buffer.from("Channel");
const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const TAG_MAX_BYTES = 600;

/** Whether a record of event XML can be wanted. May say yes too often, never no wrongly. */
export function selectXml(record: Uint8Array, selection: Selection): boolean {
  if (record[0] !== LESS) return true;
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (bytes.indexOf(DECLARATION) !== -1) return true;
  const eventIds = contentsOf(bytes, EVENT_ID)?.map(readId);
  if (eventIds === undefined || eventIds.length === 0) return true;
  const known = eventIds.filter((id) => id !== undefined);
  if (known.length !== eventIds.length) return true;
  // No name given stands for any name: most records end here.
  const possible = known.filter((id) => selection.wants(undefined, undefined, id));
  if (possible.length === 0) return false;
  const provider = only(attributesOf(bytes, PROVIDER)?.map(readName));
  const channel = only(contentsOf(bytes, CHANNEL));
  return possible.some((id) => selection.wants(provider?.toLowerCase(), channel?.toLowerCase(), id));
}

/** What stands between the start and the end tags of a name; `undefined` where the word stands anywhere else. */
function contentsOf(bytes: Buffer, name: Buffer): string[] | undefined {
  const contents: string[] = [];
  for (const { tag, isEnd } of tagsOf(bytes, name)) {
    if (tag === -1) return undefined;
    if (isEnd) continue;
    const close = bytes.indexOf(GREATER, tag);
    const next = bytes.indexOf(LESS, close);
    if (close === -1 || close - tag > TAG_MAX_BYTES || next === -1 || bytes[close - 1] === SLASH) return undefined;
    if (bytes[next + 1] !== SLASH) return undefined;
    contents.push(bytes.toString("latin1", close + 1, Math.min(next, close + TAG_MAX_BYTES)));
  }
  return contents;
}

/** The attributes of the start tags of a name. */
function attributesOf(bytes: Buffer, name: Buffer): string[] | undefined {
  const attributes: string[] = [];
  for (const { tag, isEnd } of tagsOf(bytes, name)) {
    if (tag === -1) return undefined;
    // RenderingInfo has an element of the same name with a text and no attributes.
    if (!isEnd && bytes[tag] !== GREATER)
      attributes.push(bytes.toString("latin1", tag, Math.min(bytes.length, tag + TAG_MAX_BYTES)));
  }
  return attributes;
}

/** Where the name stands as the whole name of a tag, the place after it; -1 for any other place where it may be one. */
function* tagsOf(bytes: Buffer, name: Buffer): Iterable<{ tag: number; isEnd: boolean }> {
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + name.length)) {
    const before = bytes[at - 1];
    const after = bytes[at + name.length] ?? 0;
    const whole = after <= 0x20 || after === GREATER || after === SLASH;
    if (before === LESS && whole) yield { tag: at + name.length, isEnd: false };
    else if (before === SLASH && bytes[at - 2] === LESS && whole) yield { tag: at + name.length, isEnd: true };
    // `EventSourceName`, `ProviderGuid` in data are other words; a prefix (`e:EventID`) or a mention is not judged.
    else if (name === EVENT_ID || before === 0x3a) yield { tag: -1, isEnd: false };
  }
}

function readId(text: string): number | undefined {
  const digits = text.trim();
  return /^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(digits) ? Number(digits) % 0x10000 : undefined;
}

const NAME = /^[^<>]{0,500}?\sName\s{0,4}=\s{0,4}(?:'([^'<]{0,200})'|"([^"<]{0,200})")/;

function readName(attributes: string): string {
  const match = NAME.exec(attributes);
  const name = match?.[1] ?? match?.[2] ?? "";
  return hasOtherName(attributes, name) ? "" : name;
}

/** The one value of an element; none where it stands with several values, empty, with references or beyond ASCII. */
function only(values: readonly string[] | undefined): string | undefined {
  const first = values?.[0]?.trim();
  if (values === undefined || first === undefined || first === "") return undefined;
  if (values.some((value) => value.trim() !== first) || first.includes("&")) return undefined;
  for (let i = 0; i < first.length; i += 1) if (first.charCodeAt(i) > 0x7e) return undefined;
  return first;
}
