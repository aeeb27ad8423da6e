/**
 * What stages remember, in the compacted topic `state`: a record per change under `group/topic/partition/name`, and the
 * position under `group/topic/partition`. All records of one owner lie in one partition, `partition` modulo those there are.
 */
import { deadLetter, Fault, TOPICS } from "@culprit/model";
import type { Commit, Message, Outgoing } from "./bus.ts";
import type { Restored } from "./kafka-ownership.ts";
import { committedRecords, isUnreadable, messageOf } from "./kafka-record.ts";
import { isKind, pause, persist, type Wire } from "./kafka-wire.ts";

export interface StatePlace {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

const STATE = TOPICS.state.name;
const FETCH_WAIT_MS = 100;
const FETCH_MAX_BYTES = 4 * 1024 * 1024;
/** Other owners' open transactions hold the end back for as long as they may last. */
const RESTORE_PATIENCE_MS = 120_000;

/** Group and topic names have no slash: they are ours. */
function prefixOf({ group, topic, partition }: StatePlace): string {
  return `${group}/${topic}/${partition}`;
}

/** A commit as messages: outputs, then changes and the position. */
export function commitMessages(
  { outputs = [], changes = [], position }: Commit,
  place: StatePlace,
  statePartitions: number,
): readonly Outgoing[] {
  const prefix = prefixOf(place);
  const partition = place.partition % statePartitions;
  return [
    ...outputs,
    ...changes.map(({ key, value }) => ({ topic: STATE, key: `${prefix}/${key}`, value, partition })),
    { topic: STATE, key: prefix, value: { position }, partition },
  ];
}

/** Reads what was committed for a place, up to the end there is now. Errors: `bus.damaged-position`; those of the wire. */
export async function restoreState(
  wire: Wire,
  place: StatePlace,
  options: { readonly statePartitions: number; readonly signal: AbortSignal },
): Promise<Restored & { readonly letters: readonly Outgoing[] }> {
  const prefix = prefixOf(place);
  const held = new Map<string, unknown>();
  const damagedBytes = new Map<string, Uint8Array>();
  let position: unknown;
  const partition = place.partition % options.statePartitions;
  await readThrough(wire, { partition, signal: options.signal }, (message, unreadable) => {
    const { key, value } = message;
    if (key === prefix) position = value;
    if (!key.startsWith(`${prefix}/`)) return;
    const name = key.slice(prefix.length + 1);
    held.delete(name);
    damagedBytes.delete(name);
    if (unreadable) damagedBytes.set(name, value as Uint8Array);
    else if (value !== null) held.set(name, value);
  });
  return {
    position: readPosition(position, place),
    state: held,
    damaged: [...damagedBytes.keys()],
    letters: [...damagedBytes].map(([name, bytes]) => letterOf(prefix, name, bytes)),
  };
}

function letterOf(prefix: string, name: string, bytes: Uint8Array): Outgoing {
  const key = `${prefix}/${name}`;
  const failure = { reason: "bus.damaged-state", detail: "a stored change is not JSON" };
  return {
    topic: TOPICS["dead-letters"].name,
    key,
    value: deadLetter(bytes, { stage: "bus", failure, at: Date.now(), source: { topic: STATE, key } }),
  };
}

/** A position that cannot be read must not become "from the start" in silence. */
function readPosition(value: unknown, place: StatePlace): number | undefined {
  if (value === undefined || value === null) return undefined;
  const position = typeof value === "object" && "position" in value ? value.position : undefined;
  if (typeof position === "number" && Number.isSafeInteger(position) && position >= 0) return position;
  const key = prefixOf(place);
  const message = `the position under ${key} in the topic ${STATE} cannot be read; write null under that key to begin again`;
  throw new Fault("bus.damaged-position", message, { fields: { key } });
}

async function readThrough(
  wire: Wire,
  { partition, signal }: { readonly partition: number; readonly signal: AbortSignal },
  take: (message: Message, unreadable: boolean) => void,
): Promise<void> {
  const deadline = performance.now() + RESTORE_PATIENCE_MS;
  const persistence = { deadline, signal, refresh: () => wire.refresh() };
  const at = async (end: "start" | "end"): Promise<number> =>
    (await persist(() => wire.offsetsAt(STATE, [partition], end), persistence)).get(partition) ?? 0;
  // Not the stable end: our own last commit may lie behind a transaction of another owner that is still open.
  const end = await at("end");
  let next = await at("start");
  while (next < end && !signal.aborted) {
    const fetched = await persist(() => fetchState(wire, partition, next), persistence).catch(
      async (error: unknown) => {
        if (!isKind(error, "OFFSET_OUT_OF_RANGE")) throw error;
        next = await at("start");
        return undefined;
      },
    );
    if (fetched === undefined) continue;
    const committed = committedRecords(fetched, next);
    for (const record of committed.records) {
      const message = messageOf(record, { topic: STATE, partition });
      take(message, isUnreadable(record, message));
    }
    // Asked for alone: where nothing came below the stable end, compaction has left nothing there.
    if (committed.next > next) next = committed.next;
    else if (next < fetched.stableEnd) next += 1;
    else if (performance.now() > deadline) throw new Fault("bus.unavailable", "state cannot be read to its end");
    else await pause(FETCH_WAIT_MS / 2, signal);
  }
}

async function fetchState(wire: Wire, partition: number, from: number) {
  const node = (await wire.leaders(STATE)).get(partition);
  const fetched = await wire.fetch({
    node: node ?? "",
    topic: STATE,
    from: new Map([[partition, from]]),
    maxWaitMs: FETCH_WAIT_MS,
    partitionMaxBytes: FETCH_MAX_BYTES,
  });
  const answer = fetched[0];
  if (answer === undefined) throw new Fault("bus.unavailable", "a broker answered for another partition");
  return answer;
}
