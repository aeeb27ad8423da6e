/**
 * Ids derived from content, so that a repeat has the same id on any machine: 64 hex digits of SHA-256 over parts that are
 * each preceded by their length (no two different lists of parts give one text).
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { dataEntries } from "./data.ts";
import type { WindowsEvent } from "./event.ts";
import { providerKey } from "./provider.ts";

export const ID_PATTERN = /^[0-9a-f]{64}$/;
export const EventId = z.string().regex(ID_PATTERN).brand<"EventId">();
export type EventId = z.infer<typeof EventId>;
export const SignalId = z.string().regex(ID_PATTERN).brand<"SignalId">();
export type SignalId = z.infer<typeof SignalId>;
export const IncidentId = z.string().regex(ID_PATTERN).brand<"IncidentId">();
export type IncidentId = z.infer<typeof IncidentId>;

/** SHA-256 over the parts, as 64 hex digits. */
export function contentId(...parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  return hash("sha256", text, "hex");
}

/**
 * The identity of an event: computer, channel, record id, time, provider and event id; where the record id is missing,
 * the data and the message stand for it.
 */
export function eventIdentity(event: WindowsEvent): EventId {
  const known = [
    event.host,
    event.channel.toLowerCase(),
    String(event.timeCreated),
    providerKey(event.provider),
    String(event.eventId),
  ];
  if (event.recordId !== undefined) return contentId("record", event.recordId, ...known) as EventId;
  const content: string[] = [];
  for (const [name, value] of dataEntries(event.data)) content.push(name, value);
  return contentId("content", ...known, event.message ?? "", ...content) as EventId;
}
