/**
 * A cheap look at event XML as bytes: provider, channel and event id by searching for their tags, without decoding.
 *
 * A tag in the text of an event is escaped (`&lt;EventID`), so the bytes `<EventID` stand only where an element begins, or
 * inside CDATA, which is then not judged. All event ids found count: one that is wanted is enough.
 */
import { type Glance, isWanted, type Selection } from "./selection.ts";

/** Whether a record of event XML can be wanted. May say yes too often, never no wrongly. */
export function selectXml(bytes: Uint8Array, selection: Selection): boolean {
  return isWanted(glanceXml(bytes), selection);
}

const LATIN = new TextDecoder("latin1");
const BEGINNING = /^[\s-]{0,16}<(?:\w{1,20}:)?Event[\s>]/;
const EVENT_ID = /<(?:\w{1,20}:)?EventID(?:\s[^<>]{0,200})?>\s{0,20}(\d{1,10}|0x[0-9a-fA-F]{1,8})\s{0,20}<\//g;
const PROVIDER = /<(?:\w{1,20}:)?Provider\s([^<>]{0,500})/g;
const NAME = /(?:^|\s)Name\s{0,4}=\s{0,4}(?:'([^']{0,200})'|"([^"]{0,200})")/;
const CHANNEL = /<(?:\w{1,20}:)?Channel\s{0,4}>\s{0,20}([^<]{0,200})<\//g;

/** What the bytes of a record show; `undefined` where they cannot be judged. */
export function glanceXml(bytes: Uint8Array): Glance | undefined {
  const text = LATIN.decode(bytes);
  if (!BEGINNING.test(text) || text.includes("<!") || text.includes("&lt;EventID")) return undefined;
  let mentions = 0;
  for (let at = text.indexOf("EventID"); at !== -1; at = text.indexOf("EventID", at + 7)) mentions += 1;
  const eventIds = Array.from(text.matchAll(EVENT_ID), (match) => Number(match[1]) % 0x10000);
  // Each element shows the name twice, once in its end tag. Anything else (cut off, in text) is not judged.
  if (mentions !== eventIds.length * 2) return undefined;
  const provider = only(Array.from(text.matchAll(PROVIDER), (match) => nameOf(match[1] as string)));
  const channel = only(Array.from(text.matchAll(CHANNEL), (match) => (match[1] as string).trim()));
  return { eventIds, ...(provider === undefined ? {} : { provider }), ...(channel === undefined ? {} : { channel }) };
}

function nameOf(attributes: string): string {
  const match = NAME.exec(attributes);
  return match?.[1] ?? match?.[2] ?? "";
}

/** The one value of an element; none where it stands with several values, empty, with references or beyond ASCII. */
function only(values: readonly string[]): string | undefined {
  const [first] = values;
  if (first === undefined || first.trim() === "" || values.some((value) => value !== first)) return undefined;
  for (let i = 0; i < first.length; i += 1) if (first.charCodeAt(i) > 0x7e) return undefined;
  return first.includes("&") ? undefined : first.trim();
}
