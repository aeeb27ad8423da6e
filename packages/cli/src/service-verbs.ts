/** The services that may run as processes of their own; apart from what starts them, so that naming them loads nothing. */
export const SERVICE_VERBS = ["ingest", "correlate", "notify", "console"] as const;
export type ServiceVerb = (typeof SERVICE_VERBS)[number];
