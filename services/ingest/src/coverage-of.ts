/** From what is known of records to coverage of their log. Nothing is said where the log or the time is not known. */
import type { PassedOver } from "@culprit/formats";
import { type Coverage, foldHost } from "@culprit/model";

/** The coverage that a run of records gives; `undefined` where it gives none. */
export function coverageOf(run: Omit<PassedOver, "source">): Coverage | undefined {
  const { computer, channel, firstAt, lastAt, firstRecordId, lastRecordId, count } = run;
  const host = computer === undefined ? undefined : foldHost(computer);
  const name = channel?.trim() ?? "";
  if (host === undefined || name === "" || firstAt === undefined || lastAt === undefined) return undefined;
  const ids = firstRecordId === undefined || lastRecordId === undefined ? {} : { firstRecordId, lastRecordId };
  return { host, channel: name, from: firstAt, to: lastAt, count, ...ids };
}
