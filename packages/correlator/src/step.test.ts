import { type Coverage, foldHost, type HostId, type Incident, MINUTE_MS } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { emptyState, type Input, SIGNALS_PER_RULE_MAX, type State, snapshot } from "./state.ts";
import { restoreKey, storeKey } from "./state-codec.ts";
import { step } from "./step.ts";
import { signal, smallProgram } from "./testing.ts";

const program = smallProgram();
const KEY = "host:db1";
const T = Date.parse("2026-03-10T02:00:00Z");

/** Feeds inputs, and what they send each other; answers every revision. */
function play(state: State, inputs: readonly Input[]): Incident[] {
  const revisions: Incident[] = [];
  const queue = [...inputs];
  for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
    const sent: Input[] = [];
    for (const output of step(state, input, program)) {
      if (output.kind === "incident") revisions.push(output.incident);
      else sent.push(output.input);
    }
    if (input.kind === "tick" && sent.length > 0) queue.unshift(...sent, input);
    else queue.unshift(...sent);
  }
  return revisions;
}

function admit(rule: string, minute: number): Input {
  return { kind: "signal", key: KEY, signal: signal(rule, "DB1", T + minute * MINUTE_MS) };
}
function tick(minute: number): Input {
  return { kind: "tick", at: T + minute * MINUTE_MS };
}
function covered(from: number, to: number): Input {
  const coverage: Coverage = {
    host: foldHost("db1") as HostId,
    channel: "System",
    from: T + from * MINUTE_MS,
    to: T + to * MINUTE_MS,
    count: 3,
    firstRecordId: 1,
    lastRecordId: 3,
  };
  return { kind: "coverage", key: KEY, coverage };
}

test("one failure stays below the bar, the second within ten minutes opens an incident", () => {
  const state = emptyState();
  expect(play(state, [admit("fail", 0), tick(1)])).toEqual([]);
  const [incident] = play(state, [admit("fail", 5), tick(6)]);
  expect(incident).toMatchObject({
    playbook: "failure",
    revision: 1,
    title: "Disk of DB1 fails",
    status: "open",
    occurrences: 2,
  });
});

test("F35 late evidence revises the same incident and moves its first cause", () => {
  const state = emptyState();
  const [first] = play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  expect(first?.causes[0]?.id).toBe("unknown");
  const [second] = play(state, [admit("warn", -3), tick(20)]);
  expect(second).toMatchObject({ id: first?.id, revision: 2 });
  expect(second?.causes[0]).toMatchObject({ id: "worn", for: [{ points: 20 }] });
});

test("absence weighs against a cause only where the log is known to have arrived", () => {
  const blind = play(emptyState(), [admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
  const worn = (incident: Incident | undefined) => incident?.causes.find(({ id }) => id === "worn");
  expect(worn(blind)).toMatchObject({ against: [] });
  expect(blind?.unknown).not.toEqual([]);
  const seeing = play(emptyState(), [covered(-40, 30), admit("fail", 0), admit("fail", 5), tick(6)]).at(-1);
  expect(worn(seeing)?.against).toMatchObject([{ points: -10 }]);
  expect(seeing?.unknown).toEqual([]);
});

test("a recovery closes it, at the time of the recovery", () => {
  const closed = play(emptyState(), [admit("fail", 0), admit("fail", 5), tick(6), admit("fix", 9), tick(10)]).at(-1);
  expect(closed).toMatchObject({ status: "closed", endedAt: "2026-03-10T02:09:00.000Z", revision: 2 });
});

test("quiet closes it when the log says that time has passed, not before", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  expect(play(state, [tick(100)]).some(({ status }) => status === "closed")).toBe(false);
  expect(play(state, [tick(126)]).at(-1)).toMatchObject({ status: "closed" });
});

test("ticks that step back move nothing", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(60)]);
  expect(play(state, [tick(1), tick(2)])).toEqual([]);
  expect(state.now).toBe(T + 60 * MINUTE_MS);
});

test("a repeat of a signal changes nothing and is counted", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  expect(play(state, [admit("fail", 5), admit("fail", 0), tick(7)])).toEqual([]);
  expect(state.counters.signalsRepeated).toBe(2);
});

test("a deeper incident on the same host becomes the parent of a shallower one", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  const [crash, child] = play(state, [admit("crash", 8), tick(9)])
    .filter(({ playbook }, i, all) => all.findLastIndex((other) => other.playbook === playbook) === i)
    .sort((a, b) => (a.playbook < b.playbook ? -1 : 1));
  expect(crash).toMatchObject({ playbook: "crash", children: [child?.id] });
  expect(child).toMatchObject({ playbook: "failure", parent: crash?.id });
});

test("what went on for hours before is not explained by what came then", () => {
  const state = emptyState();
  const failures = [0, 2, 25, 50, 75, 100, 120].map((minute) => admit("fail", minute));
  const revisions = play(state, [...failures, tick(121), admit("crash", 125), tick(126)]);
  const last = revisions.findLast(({ playbook }) => playbook === "failure");
  expect(last?.parent).toBeUndefined();
  expect(last).toMatchObject({ occurrences: 7 });
});

test("F39 signals beyond the limit leave the first and the latest, and are counted", () => {
  const state = emptyState();
  play(
    state,
    Array.from({ length: SIGNALS_PER_RULE_MAX + 50 }, (_, i) => admit("fail", i / 100)),
  );
  expect(state.keys.get(KEY)?.signals.get("fail")?.length).toBe(SIGNALS_PER_RULE_MAX);
  expect(state.counters.signalsDropped).toBe(50);
});

test("what is over is forgotten: after its time nothing of a key is left but its coverage", () => {
  const state = emptyState();
  play(state, [admit("fail", 0), admit("fail", 5), tick(6)]);
  for (let hour = 1; hour < 40; hour += 1) play(state, [tick(hour * 60)]);
  expect(state.keys.size).toBe(0);
});

function inputLogs(): fc.Arbitrary<Input[]> {
  const minute = fc.integer({ min: 0, max: 60 });
  const one = fc.oneof(
    fc.tuple(fc.constantFrom("fail", "warn", "fix", "crash", "boot"), minute).map(([rule, at]) => admit(rule, at)),
    minute.map(tick),
    fc.tuple(minute, minute).map(([a, b]) => covered(Math.min(a, b), Math.max(a, b))),
  );
  return fc.array(one, { maxLength: 40 }).map((log) => [...log, tick(61)]);
}

test("a snapshot taken anywhere changes nothing that follows", () => {
  fc.assert(
    fc.property(inputLogs(), fc.nat(), (inputs, n) => {
      const cut = n % (inputs.length + 1);
      const whole = emptyState();
      const all = [...play(whole, inputs.slice(0, cut)), ...play(whole, inputs.slice(cut))];
      const before = emptyState();
      const first = play(before, inputs.slice(0, cut));
      expect([...first, ...play(snapshot(before), inputs.slice(cut))]).toEqual(all);
    }),
    { numRuns: 200 },
  );
});

test("a key that was stored as JSON and read back goes on as if it had not been", () => {
  fc.assert(
    fc.property(inputLogs(), fc.nat(), (inputs, n) => {
      const cut = n % (inputs.length + 1);
      const whole = emptyState();
      play(whole, inputs.slice(0, cut));
      const stored = JSON.parse(JSON.stringify([...whole.keys.values()].map(storeKey)));
      const restored = emptyState();
      restored.now = whole.now;
      for (const one of stored) restored.keys.set(one.key, restoreKey(one));
      expect(play(restored, inputs.slice(cut))).toEqual(play(whole, inputs.slice(cut)));
    }),
    { numRuns: 200 },
  );
});
