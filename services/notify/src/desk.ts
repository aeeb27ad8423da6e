/** What the workers of the targets share: incidents as they are now, delivery records, routes. */
import type { Delivery, Incident, IncidentId } from "@culprit/model";
import type { PageContent } from "./page-content.ts";

export interface Desk {
  /** The newest revision with the actions of people applied. */
  incident(id: IncidentId): Incident | undefined;
  record(id: IncidentId, notifier: string): Delivery | undefined;
  /** Resolves once the records are durable; of each the newest step is what `record` answers from then on. */
  store(records: readonly Delivery[]): Promise<void>;
  /** Whether a notifier is to hear of an incident: by its route, or because another one could not be reached. */
  isWanted(incident: Incident, notifier: string): boolean;
  compose(incident: Incident, notifier: string): PageContent;
  /** Tells the fallback of a notifier that there is something to send in its stead. */
  handOver(id: IncidentId, from: string): void;
  /** Offers a notifier everything again that it may have something to say about. */
  offerDue(notifier: string): void;
}

/** What happens, for metrics and logs. */
export type DeliveryEvent =
  | {
      readonly kind: "sent";
      readonly notifier: string;
      readonly action: string;
      readonly result: string;
      readonly incident: IncidentId;
      readonly detail: string;
    }
  | { readonly kind: "quiet"; readonly notifier: string; readonly reason: string }
  | { readonly kind: "handed-over"; readonly notifier: string; readonly incident: IncidentId }
  | { readonly kind: "queue-full"; readonly notifier: string };
