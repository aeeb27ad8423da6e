/**
 * Splunk's HTTP Event Collector: `/services/collector` with `event`, `raw`, `health` and `ack`.
 *
 * Source: FORMATS.md section 5; codes and texts as Splunk's own (splunkadmins_hec_reply_code_lookup.csv). Splunk ends with
 * the first object it cannot read; here the others are taken as well, because a resend is recognised.
 */
import {
  type Answer,
  type HttpPost,
  type HttpRequest,
  headerOf,
  REFUSALS,
  type Receiver,
  type Refusal,
  type RefusalReason,
} from "../http/answer.ts";
import type { ReceiverContext } from "./context.ts";
import { AckChannels } from "./hec-ack.ts";
import { HEC, type HecCode, hecAnswer } from "./hec-code.ts";
import { readEnvelopes } from "./hec-envelopes.ts";
import { sourceOf } from "./source.ts";

const EVENT_PATHS = ["/services/collector", "/services/collector/event", "/services/collector/event/1.0"];
const RAW_PATHS = ["/services/collector/raw", "/services/collector/raw/1.0"];
const HEALTH_PATHS = ["/services/collector/health", "/services/collector/health/1.0"];
const ACK_PATHS = ["/services/collector/ack", "/services/collector/ack/1.0"];
const CHANNEL = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The receiver for whatever speaks HEC. */
export function hecReceiver({ intake, recordsMax, isHealthy }: ReceiverContext): Receiver {
  const acks = new AckChannels();
  const post = (handle: (request: HttpPost) => Promise<Answer> | Answer) => (path: string) =>
    ({ method: "POST", path, access: "post", handle }) as const;
  return {
    name: "hec",
    routes: [
      ...EVENT_PATHS.map(post(takeEvents)),
      ...RAW_PATHS.map(post(takeRaw)),
      ...ACK_PATHS.map(post(answerAcks)),
      ...HEALTH_PATHS.map((path) => ({ method: "GET", path, access: "open", handle: health }) as const),
    ],
    refuse,
  };

  async function takeEvents(request: HttpPost): Promise<Answer> {
    if (request.body.length === 0) return hecAnswer(HEC.noData);
    const channel = channelOf(request);
    const wrongChannel = refuseChannel(channel, { required: request.token?.acknowledges === true });
    if (wrongChannel !== undefined) return wrongChannel;
    const read = await readEnvelopes(request.body, { indexes: request.token?.indexes, recordsMax });
    if (read.forbidden) return { ...hecAnswer(HEC.incorrectIndex), status: 403 };
    if (read.count === 0) return hecAnswer(HEC.noData);
    await intake.take({
      receiver: "hec",
      body: read.envelopes,
      unreadable: read.unreadable,
      source: sourceOf(request),
    });
    if (read.firstBad !== undefined)
      return hecAnswer(read.firstBad.code, { "invalid-event-number": read.firstBad.number });
    return success(request, channel);
  }

  async function takeRaw(request: HttpPost): Promise<Answer> {
    const { body, query } = request;
    const channel = channelOf(request);
    const wrongChannel = refuseChannel(channel, { required: true });
    if (wrongChannel !== undefined) return wrongChannel;
    if (body.length === 0) return hecAnswer(HEC.noData);
    const index = query.get("index");
    const allowed = request.token?.indexes;
    if (index !== null && allowed !== undefined && !allowed.includes(index)) {
      return { ...hecAnswer(HEC.incorrectIndex), status: 403 };
    }
    const host = query.get("host");
    const path = query.get("source");
    const taken = await intake.take({
      receiver: "hec",
      body,
      source: sourceOf(request),
      ...(host === null ? {} : { host }),
      ...(path === null ? {} : { path }),
    });
    if (taken.failures.length > 0 && taken.events + taken.duplicates + taken.notSelected === 0) {
      return hecAnswer(HEC.invalidData, { "invalid-event-number": 0 });
    }
    return success(request, channel);
  }

  function success({ token }: HttpRequest, channel: string | undefined): Answer {
    if (token?.acknowledges !== true || channel === undefined) return hecAnswer(HEC.success);
    return hecAnswer(HEC.success, { ackId: acks.issue(`${token.name}\n${channel}`) });
  }

  function answerAcks(request: HttpPost): Answer {
    if (request.token?.acknowledges !== true) return hecAnswer(HEC.ackDisabled);
    const channel = channelOf(request);
    const wrongChannel = refuseChannel(channel, { required: true });
    if (wrongChannel !== undefined) return wrongChannel;
    const ids = readAcks(request.body);
    if (ids === undefined) return hecAnswer(HEC.invalidData);
    return { status: 200, body: { acks: acks.ask(`${request.token.name}\n${channel}`, ids) } };
  }

  function health(): Answer {
    return hecAnswer(isHealthy() ? HEC.healthy : HEC.unhealthy);
  }
}

function channelOf(request: HttpRequest): string | undefined {
  return headerOf(request, "x-splunk-request-channel") ?? request.query.get("channel") ?? undefined;
}

function refuseChannel(channel: string | undefined, { required }: { readonly required: boolean }): Answer | undefined {
  if (channel === undefined) return required ? hecAnswer(HEC.channelMissing) : undefined;
  return CHANNEL.test(channel) ? undefined : hecAnswer(HEC.channelInvalid);
}

const ACKS_ASKED_MAX = 10_000;

function readAcks(body: Uint8Array): readonly number[] | undefined {
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(body));
    const acks = typeof read === "object" && read !== null && "acks" in read ? read.acks : undefined;
    if (!Array.isArray(acks) || acks.length > ACKS_ASKED_MAX) return undefined;
    return acks.every((id) => Number.isSafeInteger(id) && id >= 0) ? (acks as number[]) : undefined;
  } catch {
    return undefined;
  }
}

const REFUSED: Partial<Record<RefusalReason, HecCode>> = {
  "no-credentials": HEC.tokenRequired,
  "malformed-credentials": HEC.invalidAuthorization,
  "token-in-query": HEC.tokenInQuery,
  "wrong-token": HEC.invalidToken,
  "disabled-token": HEC.tokenDisabled,
  "other-tenant": HEC.incorrectIndex,
  "broken-encoding": HEC.invalidData,
  "cut-off": HEC.invalidData,
  busy: HEC.busy,
  "over-quota": HEC.busy,
  "not-allowed": HEC.invalidToken,
  unavailable: HEC.busy,
  stopping: HEC.stopping,
  internal: HEC.internal,
  "too-large": HEC.tooLarge,
  "too-many-records": HEC.tooLarge,
  "unpacks-too-large": HEC.tooLarge,
};
/** Where RELIABILITY wants another status than Splunk's for the same code (B2), or Splunk's own is 503 for all (busy). */
const OWN_STATUS: ReadonlySet<RefusalReason> = new Set(["token-in-query", "other-tenant", "over-quota", "internal"]);

function refuse({ reason, detail }: Refusal): Answer {
  const { status, text } = REFUSALS[reason];
  const code = REFUSED[reason];
  if (code === undefined) return { status, body: { text: detail ?? text, code: status } };
  return { ...hecAnswer(code), ...(OWN_STATUS.has(reason) ? { status } : {}) };
}
