/** Shares of memory that a Resource-Exhaustion-Detector 2004 speaks of: its numbers are bytes, and only their ratio says who is to blame. */
import { dataValue, type EventData } from "@culprit/model";

const BYTES = /^\d{1,20}$/;

/**
 * What takes up how much, in whole per cent: the biggest process of the commit limit (`Decoded.ProcessShare`), the
 * non-paged pool of the commit limit (`Decoded.PoolShare`), physical memory of the commit limit (`Decoded.MemoryShare`; near
 * 100 where the page file is small or off). A share whose numbers are missing or unreadable is left out.
 *
 * Source: events.csv, Resource-Exhaustion-Detector 2004; older senders shorten the names of the process fields.
 */
export function memoryShares(data: EventData): ReadonlyMap<string, string> {
  const bytes = (...names: readonly string[]): number | undefined => {
    const text = names.map((name) => dataValue(data, name)?.trim()).find((value) => value !== undefined);
    return text !== undefined && BYTES.test(text) ? Number(text) : undefined;
  };
  const limit = bytes("SystemCommitLimit");
  const shares = new Map<string, string>();
  if (limit === undefined || limit === 0) return shares;
  const parts: [string, number | undefined][] = [
    ["Decoded.ProcessShare", bytes("Process_1_CommitCharge", "ProcessCommit_1")],
    ["Decoded.PoolShare", bytes("NonPagedPoolUsage")],
    ["Decoded.MemoryShare", bytes("PhysicalMemorySize")],
  ];
  for (const [name, part] of parts)
    if (part !== undefined) shares.set(name, String(Math.min(100, Math.round((100 * part) / limit))));
  return shares;
}
