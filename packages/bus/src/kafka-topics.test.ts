import { ALL_TOPICS, TOPICS } from "@culprit/model";
import { expect, test } from "vitest";
import { type TopicState, topicProblems, topicSettings, topicsFault, wantedTopics } from "./kafka-topics.ts";

const wanted = wantedTopics(ALL_TOPICS, {
  prefix: "p.",
  messageMaxBytes: 1_000,
  partitions: (name) => (name === "events" ? 12 : undefined),
});
const asWanted = (): Map<string, TopicState> =>
  new Map(wanted.map((topic) => [topic.name, { partitions: topic.partitions ?? 3, configs: topicSettings(topic) }]));

function problemsWith(change: (found: Map<string, TopicState>) => void) {
  const found = asWanted();
  change(found);
  return topicProblems(wanted, found, "k:9092");
}

test("topics that are as they should be are no problem, whatever their count where none is asked for", () => {
  expect(problemsWith(() => {})).toEqual([]);
});

test("F9 a missing topic is told with the command that makes it", () => {
  const problems = problemsWith((found) => found.delete("p.state"));
  expect(problems).toHaveLength(1);
  expect(problems[0]?.repair).toMatch(
    /^kafka-topics\.sh --bootstrap-server k:9092 --create --topic p\.state .*cleanup\.policy=compact/,
  );
});

test("F9 a wrong partition count is told with both numbers", () => {
  const problems = problemsWith((found) => {
    const events = found.get("p.events");
    if (events !== undefined) found.set("p.events", { ...events, partitions: 6 });
  });
  expect(problems.map(({ problem }) => problem)).toEqual(["has 6 partitions, 12 are asked for"]);
  expect(problems[0]?.repair).toContain("set kafka.partitions.events to 6");
});

test.each([
  ["state", "delete", "compact"],
  ["state", "compact,delete", "compact"],
  ["events", "compact", "delete"],
])("F9 %s with cleanup.policy=%s is refused: %s is what it needs", (name, policy, right) => {
  const problems = problemsWith((found) => {
    const topic = found.get(`p.${name}`);
    if (topic === undefined) throw new Error("no such topic");
    found.set(`p.${name}`, { ...topic, configs: new Map([...topic.configs, ["cleanup.policy", policy]]) });
  });
  expect(problems).toHaveLength(1);
  expect(problems[0]?.repair).toBe(
    `kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name p.${name} --add-config cleanup.policy=${right}`,
  );
});

test("F9 a topic that takes only small messages is refused", () => {
  const problems = problemsWith((found) => {
    found.set("p.events", {
      partitions: 12,
      configs: new Map([
        ["cleanup.policy", "delete"],
        ["max.message.bytes", "999"],
      ]),
    });
  });
  expect(problems.map(({ problem }) => problem)).toEqual([
    "takes messages of 999 bytes, kafka.messageMaxBytes is 1000",
  ]);
});

test("the refusal shows each problem with its repair below", () => {
  const problems = problemsWith((found) => {
    found.delete("p.state");
    found.delete("p.events");
  });
  const fault = topicsFault(problems);
  expect(fault).toMatchObject({ code: "bus.topics-unfit", retriable: false });
  expect(fault.message.split("\n")).toHaveLength(4);
  expect(fault.message).toContain(`topic p.${TOPICS.state.name} is missing\n  kafka-topics.sh`);
});
