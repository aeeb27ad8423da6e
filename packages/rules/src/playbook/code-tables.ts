/**
 * The tables of the knowledge folder: bugchecks, status codes, and the fields of events by place. They arrive as parsed
 * JSON; reading the files is the shell's matter.
 */
import { providerKey } from "@culprit/model";
import { z } from "zod";

const BugcheckRow = z.object({
  code: z.number().int(),
  name: z.string(),
  parameters: z.array(z.string()),
  causes: z.string(),
  family: z.string(),
});
export type BugcheckRow = z.infer<typeof BugcheckRow>;

const StatusRow = z.object({ code: z.string(), symbol: z.string(), space: z.string(), meaning: z.string() });
export type StatusRow = z.infer<typeof StatusRow>;

const EventRow = z.object({
  provider: z.string(),
  alias: z.string().optional(),
  channel: z.string(),
  eventId: z.number().int(),
  fields: z.array(z.string()),
  says: z.string(),
});
export type EventRow = z.infer<typeof EventRow>;

export interface CodeTables {
  readonly bugchecks: ReadonlyMap<number, BugcheckRow>;
  /** By number, codes of eight hex digits only; decimal codes (DPM, Win32) mean nothing outside their source. */
  readonly statuses: ReadonlyMap<number, StatusRow>;
  /** Names of positional data by place; `undefined` where the event is not in the table. */
  readonly manifest: (providerKey: string, eventId: number) => readonly string[] | undefined;
  readonly events: ReadonlyMap<string, EventRow>;
}

/** Reads the three tables. Errors: zod's, with the row. */
export function readCodeTables(tables: {
  readonly bugchecks: unknown;
  readonly statuses: unknown;
  readonly events: unknown;
}): CodeTables {
  const bugchecks = new Map(
    z
      .array(BugcheckRow)
      .parse(tables.bugchecks)
      .map((row) => [row.code, row]),
  );
  const statuses = new Map<number, StatusRow>();
  for (const row of z.array(StatusRow).parse(tables.statuses))
    if (/^0x[0-9a-f]{8}$/i.test(row.code)) statuses.set(Number(row.code), row);
  const events = new Map<string, EventRow>();
  for (const row of z.array(EventRow).parse(tables.events))
    events.set(`${providerKey(row.provider)} ${row.eventId}`, row);
  return { bugchecks, statuses, events, manifest: (key, eventId) => events.get(`${key} ${eventId}`)?.fields };
}

export const NO_TABLES: CodeTables = {
  bugchecks: new Map(),
  statuses: new Map(),
  events: new Map(),
  manifest: () => undefined,
};
