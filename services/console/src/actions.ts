/** Writes what people do to the `actions` topic. */
import type { Bus } from "@culprit/bus";
import { type Action, actionKey, contentId, TOPICS } from "@culprit/model";
import type { Clock } from "@culprit/runtime";

type NewAction = Pick<Action, "kind" | "incident" | "who" | "note" | "until">;

export interface ActionWriter {
  /**
   * Stores an action; resolves once it is durable. A caller that repeats itself gives the same key, and gets the same
   * action.
   * Errors: those of `Bus.publish`.
   */
  write(action: NewAction, idempotencyKey?: string): Promise<Action>;
}

export function actionWriter(context: {
  readonly bus: Bus;
  readonly clock: Clock;
  /** A text that no other action has. */
  readonly unique: () => string;
}): ActionWriter {
  return {
    async write(action, idempotencyKey) {
      const { incident, kind, who } = action;
      const seed = idempotencyKey === undefined ? ["new", context.unique()] : ["key", idempotencyKey];
      const stored: Action = {
        ...action,
        id: contentId("action", incident, kind, who, ...seed),
        at: context.clock.now(),
      };
      await context.bus.publish([{ topic: TOPICS.actions.name, key: actionKey(stored), value: stored }]);
      return stored;
    },
  };
}
