/** What people can answer to a page from where they read it: by a button of the chat, or a signed link. */
import type { Incident, IncidentId } from "@culprit/model";

export const REPLIES = ["acknowledge", "resolve", "silence"] as const;
export type Reply = (typeof REPLIES)[number];

/** One answer as a page offers it. */
export interface OfferedReply {
  readonly reply: Reply;
  readonly incident: IncidentId;
  /** What stands on the button. */
  readonly label: string;
  /** The signed link, where links are configured. */
  readonly url?: string;
}

export const REPLY_LABELS: Readonly<Record<Reply, string>> = {
  acknowledge: "Acknowledge",
  resolve: "Resolve",
  silence: "Silence 2 h",
};

/** What still makes sense to answer: nothing once it is over, no second acknowledgement. */
export function fittingReplies({ status }: Pick<Incident, "status">): readonly Reply[] {
  switch (status) {
    case "open":
      return REPLIES;
    case "acknowledged":
      return ["resolve", "silence"];
    case "resolved":
    case "closed":
      return [];
  }
}
