/** All receivers over HTTP; a new one is its line here. */
import type { Receiver } from "../http/answer.ts";
import type { ReceiverContext } from "./context.ts";
import { elasticsearchReceiver } from "./elasticsearch.ts";
import { hecReceiver } from "./hec.ts";
import { plainReceiver } from "./plain.ts";

/** The receivers; the last answers for paths that are nobody's. */
export function httpReceivers(context: ReceiverContext): readonly Receiver[] {
  return [hecReceiver(context), elasticsearchReceiver(context), plainReceiver(context)];
}
