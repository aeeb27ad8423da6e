/** A notification as data for machines: what happened to which page, the readable page, the incident of the contract. */
import type { Notification } from "../notifier.ts";
import { renderContent } from "../page.ts";

export function incidentData({ incident, page, key, reason, test }: Notification): Readonly<Record<string, unknown>> {
  const link = page.link === undefined ? {} : { url: page.link };
  return { key, reason, test, ...link, text: renderContent(page, { width: 100 }), incident };
}
