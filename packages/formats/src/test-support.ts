/** Short ways for tests of this package to decode something and look at it. */
import type { WindowsEvent } from "@culprit/model";
import { decodeBytes } from "./decode-bytes.ts";
import type { DecodedItem, DecoderOptions } from "./decoding.ts";

/** 2024-03-01T12:00:00Z, the time of receipt in tests. */
export const RECEIVED_AT = Date.UTC(2024, 2, 1, 12);

export function decodeAll(input: string | Uint8Array, options: Partial<DecoderOptions> = {}): DecodedItem[] {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  return [...decodeBytes(bytes, { zone: "utc", receivedAt: RECEIVED_AT, ...options })];
}

/** The events of an input; a failure in it is an error of the test. */
export function eventsOf(input: string | Uint8Array, options: Partial<DecoderOptions> = {}): WindowsEvent[] {
  return decodeAll(input, options).map((item) => {
    if (item.event === undefined) throw new Error(`${item.failure.reason}: ${item.failure.detail}`);
    return item.event;
  });
}

/** The one event of an input. */
export function eventOf(input: string | Uint8Array, options: Partial<DecoderOptions> = {}): WindowsEvent {
  const [event, ...more] = eventsOf(input, options);
  if (event === undefined || more.length > 0) throw new Error(`${more.length + (event === undefined ? 0 : 1)} events`);
  return event;
}

/** The reasons of the failures of an input. */
export function reasonsOf(input: string | Uint8Array, options: Partial<DecoderOptions> = {}): string[] {
  return decodeAll(input, options).flatMap((item) => (item.event === undefined ? [item.failure.reason] : []));
}

/** What must be read the same from every format. */
export function identityOf(event: WindowsEvent): unknown {
  const { provider, channel, computer, host, eventId, recordId, timeCreated, data } = event;
  return { provider, channel, computer, host, eventId, recordId, timeCreated, values: data.values };
}

/** The event that most examples of FORMATS.md are of, as XML. */
export const SCM_7031_XML =
  "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
  "<Provider Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}' EventSourceName='Service Control Manager'/>" +
  "<EventID Qualifiers='49152'>7031</EventID><Version>0</Version><Level>2</Level><Task>0</Task><Opcode>0</Opcode>" +
  "<Keywords>0x8080000000000000</Keywords><TimeCreated SystemTime='2024-03-01T10:00:00.1234567Z'/>" +
  "<EventRecordID>4711</EventRecordID><Correlation/><Execution ProcessID='700' ThreadID='712'/>" +
  "<Channel>System</Channel><Computer>N1.corp.example</Computer><Security UserID='S-1-5-18'/></System>" +
  "<EventData><Data Name='param1'>Cluster Service</Data><Data Name='param2'>1</Data>" +
  "<Binary>43006C00750073005300760063000000</Binary></EventData>" +
  "<RenderingInfo Culture='en-US'><Message>The Cluster Service service terminated unexpectedly.&#13;&#10;Twice.</Message></RenderingInfo></Event>";
