/**
 * Records that we write ourselves about the feed: a host that fell silent, a gap in record ids, a log that began anew, a
 * clock that is off. They are events like any other, so detections and playbooks speak of them in the same words.
 */
export const FEED_PROVIDER = "Culprit";
/** No Windows log has this name; a record that comes from outside under it makes no signal. */
export const FEED_CHANNEL = "Culprit/Feed";

export const FEED_EVENT = { silent: 1, heardAgain: 2, gap: 3, anew: 4, clockOff: 5, clockRight: 6 } as const;
export type FeedEventKind = keyof typeof FEED_EVENT;

/** Whether a channel is that of our own records about the feed. */
export function isFeedChannel(channel: string): boolean {
  return channel.toLowerCase() === FEED_CHANNEL.toLowerCase();
}
