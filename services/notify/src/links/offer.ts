/** Which answers a page offers: those that fit the incident, each with its signed link where links are configured. */
import type { EpochMs, Incident } from "@culprit/model";
import { type CallbackConfig, keysOf } from "../callbacks/config.ts";
import { fittingReplies, type OfferedReply, REPLY_LABELS } from "../reply.ts";
import { type LinkKeys, linkToken } from "./link-token.ts";

export type Offers = (incident: Incident, target: string, now: EpochMs) => readonly OfferedReply[];

/** What pages offer under a config; nothing where nothing can come back. */
export function offersOf(config: CallbackConfig | undefined): Offers {
  if (config === undefined) return () => [];
  const { links, slack, telegram } = config;
  if (links === undefined && slack === undefined && telegram === undefined) return () => [];
  const keys: LinkKeys | undefined = links === undefined ? undefined : keysOf(links.key, links.previousKey);
  return (incident, target, now) =>
    fittingReplies(incident).map((reply) => {
      const offered = { reply, incident: incident.id, label: REPLY_LABELS[reply] };
      if (links === undefined || keys === undefined) return offered;
      const token = linkToken({ reply, incident: incident.id, target, expiresAt: now + links.maxAgeMs }, keys);
      return { ...offered, url: `${links.url}/links/${token}` };
    });
}
