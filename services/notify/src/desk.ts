/** What the workers of the targets share: incidents as they are now, delivery records, routes. */
import type { Delivery, EpochMs, Incident, IncidentId } from "@culprit/model";
import type { PageContent } from "./page-content.ts";

/** What stands between an incident and a target, apart from what has happened between them. */
export interface Outlook {
  /** By its route, or because another target could not be reached or was not heard. */
  readonly wanted: boolean;
  /** A person has asked for silence about it. */
  readonly silenced: boolean;
  /** When any of this may change although nothing new has come. */
  readonly changesAt?: EpochMs;
}

export interface Desk {
  /** The newest revision with the actions of people applied, while this process sends for it. */
  ownIncident(id: IncidentId): Incident | undefined;
  record(id: IncidentId, notifier: string): Delivery | undefined;
  /** Resolves once the records are durable; of each the newest step is what `record` answers from then on. */
  store(records: readonly Delivery[]): Promise<void>;
  outlook(incident: Incident, notifier: string): Outlook;
  compose(incident: Incident, notifier: string): PageContent;
  /** The partitions this process sends for, the lowest first. */
  seats(): readonly number[];
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
  /** A page that was closed is open at its target: after the first time it is closed again. */
  | { readonly kind: "still-open"; readonly notifier: string; readonly incident: IncidentId; readonly times: number }
  | { readonly kind: "handed-over"; readonly notifier: string; readonly incident: IncidentId }
  | { readonly kind: "queue-full"; readonly notifier: string };
