/**
 * Topics of somebody else's Kafka, any format in their values; Azure Event Hubs is Kafka with SASL. The group's place moves on
 * only once records are durable; what comes again is recognised.
 *
 * What cannot be a record (no value, garbage, more than one may hold) is a dead letter with its topic, partition and offset,
 * and reading goes on behind it.
 */
import { type InputRecord, openTopicInput } from "@culprit/bus";
import { clip } from "@culprit/model";
import { HEALTHY, type Health, kafkaAccess } from "@culprit/runtime";
import type { KafkaInput } from "../listen-config.ts";
import type { Listener, ListenerContext } from "../streams/context.ts";
import { setAside, storeSlice, withinQuota } from "../streams/store.ts";

const RECEIVER = "kafka";
const NO_BYTES = new Uint8Array(0);
const ROOM_CHECK_MS = 100;

/** Reads what is configured. */
export function kafkaListeners(context: ListenerContext): readonly Promise<Listener>[] {
  return (context.config.kafka ?? []).map(async (input) => listen(input, context));
}

function listen(input: KafkaInput, context: ListenerContext): Listener {
  const { logger, stopping, counted } = context;
  const { brokers, topics, group, fromBeginning, clientId } = input;
  const name = `kafka ${topics.join(",")}`;
  let trouble: string | undefined = "not yet connected";
  const opened = openTopicInput({
    brokers,
    topics,
    group,
    fromBeginning,
    clientId,
    ...kafkaAccess(input),
    handle: (records) => take(records, context),
    onChange({ isReading, detail }) {
      if (!isReading && trouble !== detail) {
        counted.refused(RECEIVER, "interrupted");
        logger.warn({ listener: name, brokers, detail: clip(detail) }, "reading a topic is interrupted");
      } else if (isReading && trouble !== undefined) logger.info({ listener: name, brokers, group }, "reading a topic");
      trouble = isReading ? undefined : detail;
    },
  });
  const stopped = Promise.withResolvers<void>();
  // What waits to be stored gives up when the service stops, so that closing does not wait for it.
  stopping.addEventListener("abort", () => void opened.close().finally(stopped.resolve), { once: true });
  return {
    name,
    address: { host: brokers[0] ?? "", port: 0 },
    health: (): Health =>
      trouble === undefined ? HEALTHY : { state: "degraded", reasons: [`${clip(name)} is not read: ${clip(trouble)}`] },
    stop: () => stopped.promise,
  };
}

/** Stores the records of one partition. Errors: the service stops, or the log can no longer be used. */
async function take(records: readonly InputRecord[], context: ListenerContext): Promise<void> {
  const [first] = records;
  if (first === undefined) return;
  const from = { receiver: RECEIVER, source: { transport: RECEIVER, remote: `${first.topic}/${first.partition}` } };
  const lease = context.budget.lease();
  try {
    await room(records, lease.set, context);
    const framed = records.flatMap(({ value }) =>
      value === undefined || value.length === 0 ? [] : [{ bytes: value }],
    );
    await withinQuota(framed, from, context);
    if (framed.length > 0) await storeSlice(framed, from, context);
    for (const { offset, value } of records) {
      if (value !== undefined && value.length > 0) continue;
      const failure = { reason: "kafka.no-value", detail: `the record at offset ${offset} has no value` };
      await setAside(
        NO_BYTES,
        { from: { ...from, source: { ...from.source, offset: String(offset) } }, failure },
        context,
      );
    }
  } finally {
    lease.release();
  }
}

/** Waits until there is room for the records, which are here already. */
async function room(
  records: readonly InputRecord[],
  hold: (bytes: number) => boolean,
  { clock, stopping }: ListenerContext,
): Promise<void> {
  const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  while (!hold(bytes)) {
    if (!(await clock.sleep(ROOM_CHECK_MS, stopping))) return;
  }
}
