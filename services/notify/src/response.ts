/** What people can answer to a page from where they read it: by a button of the chat, or a signed link. */
import type { Incident, IncidentId } from "@culprit/model";

export const RESPONSES = ["acknowledge", "resolve", "silence"] as const;
export type Response = (typeof RESPONSES)[number];

/** One answer as a page offers it. */
export interface OfferedResponse {
  readonly response: Response;
  readonly incident: IncidentId;
  /** What stands on the button. */
  readonly label: string;
  /** The signed link, where links are configured. */
  readonly url?: string;
}

export const RESPONSE_LABELS: Readonly<Record<Response, string>> = {
  acknowledge: "Acknowledge",
  resolve: "Resolve",
  silence: "Silence 2 h",
};

/** What still makes sense to answer: nothing once it is over, no second acknowledgement. */
export function fittingResponses({ status }: Pick<Incident, "status">): readonly Response[] {
  switch (status) {
    case "open":
      return RESPONSES;
    case "acknowledged":
      return ["resolve", "silence"];
    case "resolved":
    case "closed":
      return [];
  }
}
