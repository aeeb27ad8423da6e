/**
 * HEC's indexer acknowledgement. Everything is durable before it is answered, so an id is true as soon as it is given out;
 * it is told once and then forgotten, as Splunk does. Ids do not outlive the process: a sender that never hears true sends
 * again, and what it sends is recognised.
 */

/**
 * Channels remembered; at the limit the one used longest ago is forgotten.
 * @internal
 */
export const CHANNELS_MAX = 10_000;
/**
 * Ids of one channel that nobody asked for yet; at the limit the oldest is forgotten.
 * @internal
 */
export const UNASKED_MAX = 10_000;

interface Channel {
  next: number;
  readonly unasked: Set<number>;
}

export class AckChannels {
  readonly #channels = new Map<string, Channel>();

  /** The id for a request that has just been stored; they count from 0 per channel. */
  issue(name: string): number {
    const channel = this.#use(name);
    const id = channel.next;
    channel.next += 1;
    channel.unasked.add(id);
    for (const oldest of channel.unasked) {
      if (channel.unasked.size <= UNASKED_MAX) break;
      channel.unasked.delete(oldest);
    }
    return id;
  }

  /** Whether each id is stored; an id that was told is forgotten. */
  ask(name: string, ids: readonly number[]): Readonly<Record<string, boolean>> {
    const channel = this.#channels.get(name);
    return Object.fromEntries(ids.map((id) => [String(id), channel?.unasked.delete(id) ?? false]));
  }

  #use(name: string): Channel {
    const channel = this.#channels.get(name) ?? { next: 0, unasked: new Set() };
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    for (const oldest of this.#channels.keys()) {
      if (this.#channels.size <= CHANNELS_MAX) break;
      this.#channels.delete(oldest);
    }
    return channel;
  }
}
