/** A sender that numbers its records and sends each once, and the check that what was accepted is stored once. */
import { Arrival, TOPICS } from "@culprit/model";
import { expect } from "vitest";
import { type Cluster, sendDocuments } from "./cluster.ts";

export class NumberedSender {
  readonly accepted: number[] = [];
  /** The statuses of what was not accepted. */
  readonly refusals: number[] = [];
  slowestMs = 0;
  readonly #url: string;
  #next = 0;

  constructor({ url }: { readonly url: string }) {
    this.#url = url;
  }

  /** One after the other, without a pause. */
  async sendUntil(done: () => boolean): Promise<void> {
    while (!done()) {
      const n = this.#next;
      this.#next += 1;
      const began = performance.now();
      const status = await sendDocuments(this.#url, [numbered(n)]);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      if (status === 200) this.accepted.push(n);
      else this.refusals.push(status);
    }
  }

  /** So many more that are accepted. */
  sendAccepted(count: number): Promise<void> {
    const before = this.accepted.length;
    return this.sendUntil(() => this.accepted.length >= before + count);
  }

  /** Until one more is refused. */
  sendRefused(): Promise<void> {
    const before = this.refusals.length;
    return this.sendUntil(() => this.refusals.length > before);
  }

  /** Each was sent once: more than one copy would be a repeat of ours, less than one a loss. */
  async expectEachOnce(cluster: Cluster): Promise<void> {
    const stored = (await cluster.read(TOPICS.events.name)).flatMap(({ value }) => {
      const arrival = Arrival.safeParse(value);
      return arrival.success && arrival.data.kind === "event" ? [Number(arrival.data.event.recordId)] : [];
    });
    const copies = Map.groupBy(stored, (n) => n);
    expect(this.accepted.filter((n) => copies.get(n)?.length !== 1)).toEqual([]);
  }
}

function numbered(n: number): object {
  const at = new Date().toISOString();
  const host = `host${n % 5}.contoso.example`;
  return {
    "@timestamp": at,
    event: { code: "7036", kind: "event", provider: "Service Control Manager", created: at },
    host: { name: host },
    log: { level: "information" },
    message: `number ${n}`,
    winlog: {
      channel: "System",
      computer_name: host,
      event_id: "7036",
      provider_name: "Service Control Manager",
      record_id: n,
      event_data: { param1: `number ${n}` },
    },
  };
}
