/**
 * Whether the topics are what Culprit needs, and how to make them so. They are made by whoever runs the brokers: a wrong
 * count moves keys to other partitions, and a table that is not compacted forgets what is still open.
 */
import { Fault, type TopicSpec } from "@culprit/model";
import type { KafkaBusOptions } from "./kafka-options.ts";

/** A topic as the brokers have it. */
export interface TopicState {
  readonly partitions: number;
  readonly configs: ReadonlyMap<string, string>;
}

/** A topic as it should be. Names are those of the cluster, prefix included. */
export interface WantedTopic {
  readonly name: string;
  readonly spec: TopicSpec;
  /** `undefined` where any count will do. */
  readonly partitions: number | undefined;
  readonly messageMaxBytes: number;
}

export interface TopicProblem {
  readonly topic: string;
  readonly problem: string;
  readonly repair: string;
}

/** Kafka's own bytes around a message in a batch of its own. */
const BATCH_OVERHEAD_BYTES = 64 * 1024;

/** The settings a topic is made with. */
export function topicSettings({ spec, messageMaxBytes }: WantedTopic): ReadonlyMap<string, string> {
  const { retention } = spec;
  const kept: [string, string][] =
    retention.kind === "compacted"
      ? [
          ["cleanup.policy", "compact"],
          ["min.cleanable.dirty.ratio", "0.1"],
        ]
      : [
          ["cleanup.policy", "delete"],
          ["retention.ms", String(retention.retentionMs)],
        ];
  return new Map([...kept, ["max.message.bytes", String(messageMaxBytes + BATCH_OVERHEAD_BYTES)]]);
}

/** What is wrong with the topics, each with the command that repairs it. */
export function topicProblems(
  wanted: readonly WantedTopic[],
  found: ReadonlyMap<string, TopicState>,
  bootstrap: string,
): readonly TopicProblem[] {
  return wanted.flatMap((topic) => {
    const state = found.get(topic.name);
    return state === undefined ? [missing(topic, bootstrap)] : unfit(topic, state, bootstrap);
  });
}

function missing(topic: WantedTopic, bootstrap: string): TopicProblem {
  const settings = [...topicSettings(topic)].map(([name, value]) => ` --config ${name}=${value}`).join("");
  const count = topic.partitions ?? 1;
  return {
    topic: topic.name,
    problem: "is missing",
    repair: `kafka-topics.sh --bootstrap-server ${bootstrap} --create --topic ${topic.name} --partitions ${count}${settings}`,
  };
}

function unfit(topic: WantedTopic, { partitions, configs }: TopicState, bootstrap: string): TopicProblem[] {
  const problems: TopicProblem[] = [];
  const { name, spec } = topic;
  if (topic.partitions !== undefined && partitions !== topic.partitions) {
    problems.push({
      topic: name,
      problem: `has ${partitions} partitions, ${topic.partitions} are asked for`,
      repair:
        `set kafka.partitions.${spec.name} to ${partitions} in the config, or make the topic anew: ` +
        `kafka-topics.sh --bootstrap-server ${bootstrap} --delete --topic ${name}, then start again`,
    });
  }
  const policy = configs.get("cleanup.policy") ?? "";
  const wanted = spec.retention.kind === "compacted" ? "compact" : "delete";
  if (policy !== wanted) {
    const problem = `has cleanup.policy=${policy}, it must be ${wanted}`;
    problems.push({ topic: name, problem, repair: alter(bootstrap, name, `cleanup.policy=${wanted}`) });
  }
  const limit = Number(configs.get("max.message.bytes"));
  if (limit < topic.messageMaxBytes) {
    const least = topic.messageMaxBytes + BATCH_OVERHEAD_BYTES;
    problems.push({
      topic: name,
      problem: `takes messages of ${limit} bytes, kafka.messageMaxBytes is ${topic.messageMaxBytes}`,
      repair: alter(bootstrap, name, `max.message.bytes=${least}`),
    });
  }
  return problems;
}

function alter(bootstrap: string, name: string, setting: string): string {
  return (
    `kafka-configs.sh --bootstrap-server ${bootstrap} --alter --entity-type topics --entity-name ${name} ` +
    `--add-config ${setting}`
  );
}

/** The topics wanted, with the names of the cluster. */
export function wantedTopics(
  topics: readonly TopicSpec[],
  options: Pick<KafkaBusOptions, "partitions"> & { readonly prefix: string; readonly messageMaxBytes: number },
): readonly WantedTopic[] {
  const { prefix, messageMaxBytes, partitions } = options;
  return topics.map((spec) => ({
    name: prefix + spec.name,
    spec,
    partitions: partitions?.(spec.name),
    messageMaxBytes,
  }));
}

/** Refuses to start: every problem on a line of its own, with its repair on the next. */
export function topicsFault(problems: readonly TopicProblem[]): Fault {
  const lines = problems.map(({ topic, problem, repair }) => `topic ${topic} ${problem}\n  ${repair}`);
  return new Fault("bus.topics-unfit", lines.join("\n"), {
    fields: { topics: problems.map((p) => p.topic).join(",") },
  });
}
