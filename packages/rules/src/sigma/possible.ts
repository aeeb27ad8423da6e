/**
 * Whether a query may hold for an event of which only the kind is known: provider, channel and event id. Each test on these
 * is answered; every other one may come out either way.
 */
import { eventField, providerKey, providerNames } from "@culprit/model";
import type { Query, Test } from "./expression.ts";
import { foldCase } from "./fold.ts";
import { textTest } from "./test-value.ts";

/** What is known of an event. Names are lower case; `undefined` where they are not known. */
export interface Kind {
  readonly provider: string | undefined;
  readonly channel: string | undefined;
  readonly eventId: number;
}

/** `undefined` where it depends on the rest of the event. */
export function holdsForKind(query: Query, kind: Kind): boolean | undefined {
  switch (query.kind) {
    case "constant":
      return query.value;
    case "test":
      return answer(query, kind);
    case "not": {
      const item = holdsForKind(query.item, kind);
      return item === undefined ? undefined : !item;
    }
    case "and":
    case "or": {
      const ending = query.kind === "or";
      let isSure = true;
      for (const item of query.items) {
        const is = holdsForKind(item, kind);
        if (is === ending) return ending;
        if (is === undefined) isSure = false;
      }
      return isSure ? !ending : undefined;
    }
  }
}

const PROVIDER = eventField("provider_name");
const CHANNEL = eventField("channel");
const EVENT_ID = eventField("eventid");

/** Only tests that ask the same of a name in lower case are answered. */
function answer({ field, matcher }: Test, kind: Kind): boolean | undefined {
  if (field === undefined || (matcher.kind !== "text" && matcher.kind !== "wildcard")) return undefined;
  const texts = textsOf(field, kind);
  if (texts === undefined || matcher.view.cased || matcher.view.dash) return undefined;
  return texts.some(textTest(matcher));
}

function textsOf(field: string, { provider, channel, eventId }: Kind): readonly string[] | undefined {
  const system = eventField(field.toLowerCase());
  if (system === undefined) return undefined;
  if (system === EVENT_ID) return [String(eventId)];
  if (system === CHANNEL) return channel === undefined ? undefined : [foldCase(channel)];
  if (system !== PROVIDER || provider === undefined) return undefined;
  return [provider, ...providerNames(providerKey(provider))].map(foldCase);
}
