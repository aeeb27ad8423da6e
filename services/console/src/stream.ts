/**
 * Server-sent events: each change of an incident goes to every open stream as its id and headline. A browser that comes back
 * says which event it saw last and gets what followed; where that is no longer known it is told to start afresh.
 */
import type { ServerResponse } from "node:http";
import type { Incident } from "@culprit/model";

/** Events that are kept for those who come back. */
const EVENTS_MAX = 1_000;
/** A reader that lets more than this pile up is let go: it comes back and resumes. */
const BACKLOG_MAX_BYTES = 256 * 1024;
/** Proxies close what is silent for longer. */
export const COMMENT_EVERY_MS = 15_000;

interface Sent {
  readonly id: number;
  readonly text: string;
}

export class EventStream {
  /** Numbers of another process mean nothing here, so an id carries which one gave it. */
  readonly #epoch: string;
  readonly #streamsMax: number;
  readonly #sent: Sent[] = [];
  readonly #streams = new Set<ServerResponse>();
  #last = 0;

  constructor(options: { readonly epoch: string; readonly streamsMax: number }) {
    this.#epoch = options.epoch;
    this.#streamsMax = options.streamsMax;
  }

  get open(): number {
    return this.#streams.size;
  }

  /** Tells all streams of a change. */
  publish(incident: Incident): void {
    this.#last += 1;
    const { id, revision, title, severity, status, updatedAt } = incident;
    const data = JSON.stringify({ id, revision, title, severity, status, updatedAt });
    const sent = { id: this.#last, text: `id: ${this.#epoch}-${this.#last}\nevent: incident\ndata: ${data}\n\n` };
    this.#sent.push(sent);
    if (this.#sent.length > EVENTS_MAX) this.#sent.shift();
    this.#write(sent.text);
  }

  /** Keeps streams open through proxies. */
  comment(): void {
    this.#write(":\n\n");
  }

  /** Takes a response as a stream; answers false when there are too many. */
  add(response: ServerResponse, lastEventId: string | undefined): boolean {
    if (this.#streams.size >= this.#streamsMax) return false;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // nginx holds a stream back without this.
      "x-accel-buffering": "no",
    });
    response.write(`retry: 3000\n\n${this.#missed(lastEventId)}`);
    this.#streams.add(response);
    response.once("close", () => this.#streams.delete(response));
    return true;
  }

  close(): void {
    for (const response of this.#streams) response.end();
    this.#streams.clear();
  }

  #missed(lastEventId: string | undefined): string {
    if (lastEventId === undefined) return "";
    const [epoch, number] = lastEventId.split("-");
    const seen = Number(number);
    const oldest = this.#sent[0]?.id ?? this.#last + 1;
    const known = epoch === this.#epoch && Number.isInteger(seen) && seen >= oldest - 1 && seen <= this.#last;
    if (!known) return `id: ${this.#epoch}-${this.#last}\nevent: reset\ndata: {}\n\n`;
    return this.#sent
      .filter(({ id }) => id > seen)
      .map(({ text }) => text)
      .join("");
  }

  #write(text: string): void {
    for (const response of this.#streams) {
      if (response.writableLength > BACKLOG_MAX_BYTES) response.destroy();
      else response.write(text);
    }
  }
}
