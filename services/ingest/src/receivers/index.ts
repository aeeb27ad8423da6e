/** All receivers; a new one is its line here. */
import type { Receiver } from "../http/answer.ts";
import type { OpenListeners } from "../streams/context.ts";
import type { ReceiverContext } from "./context.ts";
import { elasticsearchReceiver } from "./elasticsearch.ts";
import { firehoseReceiver } from "./firehose.ts";
import { gelfListeners } from "./gelf.ts";
import { hecReceiver } from "./hec.ts";
import { kafkaListeners } from "./kafka.ts";
import { lokiReceiver } from "./loki.ts";
import { lumberjackListeners } from "./lumberjack.ts";
import { otlpReceiver } from "./otlp.ts";
import { otlpGrpcListeners } from "./otlp-grpc.ts";
import { plainReceiver } from "./plain.ts";
import { syslogListeners } from "./syslog.ts";

/** The receivers over HTTP; the last answers for paths that are nobody's. */
export function httpReceivers(context: ReceiverContext): readonly Receiver[] {
  return [
    hecReceiver(context),
    otlpReceiver(context),
    elasticsearchReceiver(context),
    firehoseReceiver(context),
    lokiReceiver(context),
    plainReceiver(context),
  ];
}

/** The receivers with sockets of their own. */
export const LISTENERS: readonly OpenListeners[] = [
  syslogListeners,
  gelfListeners,
  lumberjackListeners,
  otlpGrpcListeners,
  kafkaListeners,
];
