import { type EventId, type Incident, type IncidentId, MINUTE_MS } from "@culprit/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Act, UNLINKED_MAX } from "./act.ts";
import { emptyState, type Input, type State } from "./state.ts";
import { restoreKey, storeKey } from "./state-codec.ts";
import { step } from "./step.ts";
import { signal, smallProgram } from "./testing.ts";

const program = smallProgram();
const KEY = "host:db1";
const T = Date.parse("2026-03-10T02:00:00Z");

function play(state: State, inputs: readonly Input[]): Incident[] {
  return inputs.flatMap((input) =>
    step(state, input, program).flatMap((output) => (output.kind === "incident" ? [output.incident] : [])),
  );
}
const at = (minute: number): number => T + minute * MINUTE_MS;
const admit = (rule: string, minute: number): Input => {
  return { kind: "signal", key: KEY, signal: signal(rule, "DB1", at(minute)) };
};
const tick = (minute: number): Input => ({ kind: "tick", at: at(minute) });
const eventOf = (rule: string, minute: number): EventId => signal(rule, "DB1", at(minute)).event.id;
let made = 0;
function act(incident: IncidentId | undefined, kind: "resolve" | "reopen", minute: number): Input {
  if (incident === undefined) throw new RangeError("there is no such incident");
  made += 1;
  return { kind: "act", act: { kind, incident, at: at(minute), id: String(made).padStart(64, "0") } };
}
function link(incident: IncidentId | undefined, kind: "unlink" | "relink", event: EventId, minute = 7): Input {
  if (incident === undefined) throw new RangeError("there is no such incident");
  made += 1;
  return { kind: "act", act: { kind, incident, event, at: at(minute), id: String(made).padStart(64, "0") } };
}
const worn = (incident: Incident | undefined) => incident?.causes.find(({ id }) => id === "worn");

describe("an event that a person takes out", () => {
  test("counts no more, and the causes are ranked again", () => {
    const state = emptyState();
    const opened = play(state, [admit("warn", -3), admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    expect(opened?.causes[0]?.id).toBe("worn");
    const [revised, ...more] = play(state, [link(opened?.id, "unlink", eventOf("warn", -3)), tick(8)]);
    expect(more).toEqual([]);
    expect(revised).toMatchObject({ id: opened?.id, revision: 2, status: "open" });
    expect(revised?.causes[0]?.id).toBe("unknown");
    expect(worn(revised)?.for).toEqual([]);
    expect(revised?.timeline.map(({ event }) => event)).not.toContain(eventOf("warn", -3));
  });

  test("comes back when it is put back", () => {
    const state = emptyState();
    const opened = play(state, [admit("warn", -3), admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    play(state, [link(opened?.id, "unlink", eventOf("warn", -3), 7), tick(8)]);
    const back = play(state, [link(opened?.id, "relink", eventOf("warn", -3), 9), tick(10)]).at(-1);
    expect(back?.causes).toEqual(opened?.causes);
  });

  test("ends the incident where nothing else makes one, under the same id", () => {
    const state = emptyState();
    const opened = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    const ended = play(state, [link(opened?.id, "unlink", eventOf("fail", 5)), tick(8), tick(9)]);
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({ id: opened?.id, status: "closed" });
    expect(ended[0]?.facts.at(-1)).toMatch(/^Withdrawn: without the events that people took out/);
    // A further failure makes two that count.
    const again = play(state, [admit("fail", 9), tick(10)]).at(-1);
    expect(again).toMatchObject({ id: opened?.id, status: "open", occurrences: 2 });
  });

  test("changes what is said even after the incident's lateness has passed, and nothing else then", () => {
    const state = emptyState();
    const opened = play(state, [admit("warn", -3), admit("fail", 0), admit("fail", 5), tick(6), tick(100)]).at(-1);
    const [revised] = play(state, [link(opened?.id, "unlink", eventOf("warn", -3), 100), tick(101)]);
    expect(worn(revised)?.for).toEqual([]);
    expect(play(state, [admit("warn", 1), tick(102)])).toEqual([]);
  });

  test("is remembered over a restart, and of contradicting acts the latest holds in any order", () => {
    const incident = play(emptyState(), [admit("warn", -3), admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    const acts = [7, 8, 9].map((minute, index) =>
      link(incident?.id, index === 1 ? "relink" : "unlink", eventOf("warn", -3), minute),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(acts, { minLength: 3, maxLength: 3 }), fc.nat(3), (order, restart) => {
        const state = emptyState();
        play(state, [admit("warn", -3), admit("fail", 0), admit("fail", 5), tick(6)]);
        let last: Incident | undefined;
        for (const [index, one] of [...order, ...order].entries()) {
          last = play(state, [one, tick(10 + index)]).at(-1) ?? last;
          if (index !== restart) continue;
          for (const [name, key] of state.keys) {
            state.keys.set(name, restoreKey(JSON.parse(JSON.stringify(storeKey(key)))));
          }
        }
        expect(worn(last)?.for).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test("has a limit", () => {
    const state = emptyState();
    const opened = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    for (let n = 0; n < UNLINKED_MAX + 5; n += 1) {
      step(state, link(opened?.id, "unlink", String(n).padStart(64, "f") as EventId), program);
    }
    expect(state.keys.get(KEY)?.incidents.get(opened?.id as IncidentId)?.unlinked).toHaveLength(UNLINKED_MAX);
  });
});

describe("an incident that a person has resolved", () => {
  test("takes in nothing new: what returns is an incident of its own, linked to the old one", () => {
    const state = emptyState();
    const old = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    expect(play(state, [act(old?.id, "resolve", 8), tick(9)])).toEqual([]);
    expect(play(state, [admit("fail", 10), tick(11)])).toEqual([]);
    const fresh = play(state, [admit("fail", 12), tick(13)]);
    expect(fresh).toHaveLength(1);
    expect(fresh[0]).toMatchObject({ previous: old?.id, revision: 1, occurrences: 2 });
    expect(fresh[0]?.id).not.toBe(old?.id);
  });

  test("still takes in what happened before, however late it comes", () => {
    const state = emptyState();
    const old = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    play(state, [act(old?.id, "resolve", 8), tick(9)]);
    expect(play(state, [admit("fail", 7), tick(10)]).at(-1)).toMatchObject({ id: old?.id, occurrences: 3 });
  });

  test("becomes one with what came after when it is reopened", () => {
    const state = emptyState();
    const old = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    play(state, [act(old?.id, "resolve", 8), tick(9)]);
    const fresh = play(state, [admit("fail", 10), admit("fail", 12), tick(13)]).at(-1);
    const revisions = play(state, [act(old?.id, "reopen", 14), tick(15)]);
    expect(revisions.find(({ id }) => id === old?.id)).toMatchObject({ occurrences: 4, status: "open" });
    expect(revisions.find(({ id }) => id === fresh?.id)).toMatchObject({ status: "closed" });
  });

  test("stays apart from its return once it is forgotten itself", () => {
    const state = emptyState();
    const old = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
    play(state, [act(old?.id, "resolve", 8), tick(9)]);
    // Every 25 minutes a failure: always within `merge`, until the old one is long forgotten.
    const minutes = Array.from({ length: 20 }, (_, n) => 25 * (n + 1));
    const all = minutes.flatMap((minute) =>
      play(state, [admit("fail", minute), admit("fail", minute + 2), tick(minute + 3)]),
    );
    expect(new Set(all.filter(({ id }) => id !== old?.id).map(({ id }) => id)).size).toBe(1);
    expect(state.keys.get(KEY)?.incidents.has(old?.id as IncidentId)).toBe(false);
  });
});

test("an incident that returns by itself names the one before, as long as that is held", () => {
  const state = emptyState();
  const first = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
  const second = play(state, [tick(60), admit("fail", 60), admit("fail", 65), tick(66)]).findLast(
    ({ id }) => id !== first?.id,
  );
  expect(second?.previous).toBe(first?.id);
  expect(first?.previous).toBeUndefined();
  // Quiet for two hours closes it; four hours later it is forgotten.
  const third = play(state, [tick(700), admit("fail", 700), admit("fail", 705), tick(706)]).at(-1);
  expect(third?.previous).toBeUndefined();
});

test("what turns out to be one incident is no return of itself, whichever part was seen first", () => {
  const late = [admit("fail", 25), admit("fail", 45)];
  for (const [first, second] of [
    [0, 65],
    [65, 0],
  ] as const) {
    const state = emptyState();
    play(state, [admit("fail", first), admit("fail", first + 5), tick(71)]);
    play(state, [admit("fail", second), admit("fail", second + 5), tick(72)]);
    const last = new Map(play(state, [...late, tick(73)]).map((incident) => [incident.id, incident]));
    const standing = [...last.values()].filter(({ status }) => status === "open");
    expect(standing).toMatchObject([{ occurrences: 6 }]);
    expect(standing[0]?.previous).toBeUndefined();
  }
});

test("an act about an incident that nobody holds changes nothing", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  state.touched.clear();
  const stranger: Act = { kind: "resolve", incident: "f".repeat(64) as IncidentId, at: T, id: "0".repeat(64) };
  expect(play(state, [{ kind: "act", act: stranger }, tick(6)])).toEqual([]);
  expect(state.touched.size).toBe(0);
});
