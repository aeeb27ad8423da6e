/**
 * The embedded log's thread. SQLite is synchronous; here it keeps nobody waiting but its own queue. All requests that have
 * come in while a commit was being synced are taken together, and all writes among them share the next sync.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assertNever, Fault } from "@culprit/model";
import type { FromWorker, Request, Results, StoreOptions, WriteRequest, WriteResult } from "./embedded-protocol.ts";
import { EmbeddedStore } from "./embedded-store.ts";
import { breaksTheLog, faultData, faultOf } from "./sqlite-fault.ts";

interface Asked {
  readonly id: number;
  readonly request: Request;
}
type AskedWrite = Asked & { readonly request: WriteRequest };
type Answer = Extract<FromWorker, { kind: "answers" }>["answers"][number];

/** Bodies stored with one sync; more waits for the next. */
const GROUP_MAX_BYTES = 32 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Fault("bus.failed", "the embedded log's worker was not started as one");

function send(message: FromWorker): void {
  port?.postMessage(message);
}

const store = open();
if (store !== undefined) {
  send({ kind: "ready", streams: store.streams, stats: store.stats() });
  port.on("message", (first: Asked) => serve(store, takeAll(first)));
}

function open(): EmbeddedStore | undefined {
  try {
    return new EmbeddedStore(workerData as StoreOptions);
  } catch (error) {
    send({ kind: "refused", fault: faultData(faultOf(error)) });
    port?.close();
    return undefined;
  }
}

function takeAll(first: Asked): readonly Asked[] {
  const taken = [first];
  let bytes = sizeOf(first);
  while (port !== null && bytes < GROUP_MAX_BYTES) {
    const more = receiveMessageOnPort(port) as { message: Asked } | undefined;
    if (more === undefined) break;
    taken.push(more.message);
    bytes += sizeOf(more.message);
  }
  return taken;
}

function sizeOf({ request }: Asked): number {
  if (request.kind !== "write") return 0;
  return request.entries.reduce((sum, entry) => sum + entry.body.length, 0);
}

function serve(on: EmbeddedStore, taken: readonly Asked[]): void {
  const writes = taken.filter((asked): asked is AskedWrite => asked.request.kind === "write");
  const answers = writes.length === 0 ? [] : writeAll(on, writes);
  for (const { id, request } of taken) {
    if (request.kind === "write") continue;
    answers.push(answer(id, () => perform(on, request)));
  }
  const closed = taken.some(({ request }) => request.kind === "close");
  send({ kind: "answers", answers, stats: closed ? {} : on.stats() });
  if (closed) port?.close();
}

/** One sync for all; if that fails, one for each, so that a request that is too large does not fail its neighbours. */
function writeAll(on: EmbeddedStore, writes: readonly AskedWrite[]): Answer[] {
  try {
    const results = on.writeAll(writes.map(({ request }) => request));
    return writes.map(({ id }, i) => ({ id, result: results[i] as WriteResult }));
  } catch (error) {
    const fault = faultOf(error);
    if (writes.length > 1 && !breaksTheLog(fault)) return writes.flatMap((write) => writeAll(on, [write]));
    if (breaksTheLog(fault)) endWith(fault);
    return writes.map(({ id }) => ({ id, fault: faultData(fault) }));
  }
}

function answer(id: number, work: () => Results[Request["kind"]]): Answer {
  try {
    return { id, result: work() };
  } catch (error) {
    const fault = faultOf(error);
    if (breaksTheLog(fault)) endWith(fault);
    return { id, fault: faultData(fault) };
  }
}

/** Nothing is tried again on this file: whoever starts next reads what the disk really holds. */
function endWith(fault: Fault): void {
  send({ kind: "broken", fault: faultData(fault) });
  port?.close();
}

function perform(on: EmbeddedStore, request: Exclude<Request, WriteRequest>): Results[Request["kind"]] {
  switch (request.kind) {
    case "read":
      return on.read(request);
    case "scan":
      return on.scan(request);
    case "positions":
      return on.positions(request.group, request.topic);
    case "ends":
      return on.ends();
    case "retain":
      return on.retain(request.now);
    case "forget-group":
      on.forgetGroup(request.group, request.topic);
      return undefined;
    case "close":
      on.close();
      return undefined;
    default:
      return assertNever(request);
  }
}
