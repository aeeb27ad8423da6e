/** The bus's end of the worker: asks, matches answers to askers, bounds what waits, and knows when the log is broken. */
import { Worker } from "node:worker_threads";
import { Fault } from "@culprit/model";
import type { FromWorker, Request, Results, StoreOptions, StoreStats, StreamSpec } from "./embedded-protocol.ts";
import { faultFrom } from "./sqlite-fault.ts";

interface Waiting {
  readonly bytes: number;
  resolve(result: unknown): void;
  reject(fault: Fault): void;
}

export class EmbeddedClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #pendingMaxBytes: number;
  readonly #broken = Promise.withResolvers<Fault>();
  readonly #exited: Promise<void>;
  #nextId = 0;
  #pendingBytes = 0;
  #fault: Fault | undefined;
  #stats: StoreStats = {};

  private constructor(worker: Worker, stats: StoreStats, pendingMaxBytes: number) {
    this.#worker = worker;
    this.#stats = stats;
    this.#pendingMaxBytes = pendingMaxBytes;
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (cause) => this.#break(new Fault("bus.failed", "the embedded log's thread ended", { cause })));
    this.#exited = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#break(new Fault("bus.closed", "the embedded log is closed"));
        resolve();
      });
    });
  }

  /** Starts the worker and waits until it has opened the log. Errors: as the store's constructor. */
  static async start(
    options: StoreOptions,
    pendingMaxBytes: number,
  ): Promise<{ client: EmbeddedClient; streams: readonly StreamSpec[] }> {
    const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), { workerData: options, execArgv: [] });
    const first = await new Promise<FromWorker>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", (cause) =>
        reject(new Fault("bus.failed", "the embedded log's thread did not start", { cause })),
      );
    });
    if (first.kind === "refused") throw faultFrom(first.fault);
    if (first.kind !== "ready") throw new Fault("bus.failed", `the embedded log's thread began with ${first.kind}`);
    return { client: new EmbeddedClient(worker, first.stats, pendingMaxBytes), streams: first.streams };
  }

  /** Resolves with the first fault after which nothing can be stored; not when closed. */
  get broken(): Promise<Fault> {
    return this.#broken.promise;
  }

  get stats(): StoreStats {
    return { ...this.#stats, pending_bytes: this.#pendingBytes };
  }

  /** Errors: `bus.busy` when too much waits already, the fault that broke the log, or what the store answered. */
  ask<K extends Request["kind"]>(request: Extract<Request, { kind: K }>): Promise<Results[K]> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    const bytes = bytesOf(request);
    if (bytes > 0 && this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#pendingMaxBytes) {
      const fields = { pending: this.#pendingBytes, most: this.#pendingMaxBytes };
      return Promise.reject(new Fault("bus.busy", "too much waits for the disk", { retriable: true, fields }));
    }
    const id = this.#nextId;
    this.#nextId += 1;
    this.#pendingBytes += bytes;
    return new Promise<Results[K]>((resolve, reject) => {
      this.#waiting.set(id, { bytes, resolve: (result) => resolve(result as Results[K]), reject });
      this.#worker.postMessage({ id, request }, buffersOf(request));
    });
  }

  /** Closes the log after everything asked before. */
  async close(): Promise<void> {
    if (this.#fault === undefined) await this.ask({ kind: "close" });
    await this.#exited;
  }

  #receive(message: FromWorker): void {
    if (message.kind === "broken") this.#break(faultFrom(message.fault));
    if (message.kind !== "answers") return;
    this.#stats = { ...this.#stats, ...message.stats };
    for (const answer of message.answers) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      this.#pendingBytes -= waiting?.bytes ?? 0;
      if ("fault" in answer) waiting?.reject(faultFrom(answer.fault));
      else waiting?.resolve(answer.result);
    }
  }

  #break(fault: Fault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    if (fault.code !== "bus.closed") this.#broken.resolve(fault);
    for (const waiting of this.#waiting.values()) waiting.reject(fault);
    this.#waiting.clear();
    this.#pendingBytes = 0;
  }
}

function bytesOf(request: Request): number {
  return request.kind === "write" ? request.entries.reduce((sum, { body }) => sum + body.length, 0) : 0;
}

/** Bodies are moved to the worker, not copied: each was made for this request alone. */
function buffersOf(request: Request): ArrayBuffer[] {
  return request.kind === "write" ? request.entries.map(({ body }) => body.buffer as ArrayBuffer) : [];
}
