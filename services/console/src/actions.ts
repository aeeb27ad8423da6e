/** Writes what people do to the `actions` topic. */
import type { Bus } from "@culprit/bus";
import { type Action, actionKey, contentId, TOPICS } from "@culprit/model";
import type { Clock } from "@culprit/runtime";

/** An action that has not been stored: without its id and time, whatever its kind. */
export type NewAction = Action extends infer Kind ? (Kind extends Action ? Omit<Kind, "id" | "at"> : never) : never;

export interface ActionWriter {
  /**
   * Stores an action; resolves once it is durable. A caller that repeats itself gives the same key, and gets the same
   * action.
   * Errors: those of `Bus.publish`.
   */
  write(action: NewAction, idempotencyKey?: string): Promise<Action>;
}

export function actionWriter(context: {
  readonly bus: Pick<Bus, "publish">;
  readonly clock: Clock;
  /** A text that no other action has. */
  readonly unique: () => string;
  /** What was done about an incident before. */
  readonly known: (incident: Action["incident"]) => readonly Action[];
}): ActionWriter {
  return {
    async write(action, idempotencyKey) {
      const { incident, kind, who } = action;
      const seed = idempotencyKey === undefined ? ["new", context.unique()] : ["key", idempotencyKey];
      const id = contentId("action", incident, kind, who, ...seed);
      const known = context.known(incident);
      const before = known.find((done) => done.id === id);
      if (before !== undefined) return before;
      // What is done in answer to something stands after it, however fast it was done and whatever the clock says.
      const at = Math.max(context.clock.now(), 1 + Math.max(...known.map((done) => done.at)));
      const stored: Action = { ...action, id, at };
      await context.bus.publish([{ topic: TOPICS.actions.name, key: actionKey(stored), value: stored }]);
      return stored;
    },
  };
}
