/** The notify service: config and bus in, pages out. */
import type { Bus } from "@culprit/bus";
import { deadLetter, Fault, Incident, TOPICS } from "@culprit/model";
import { type Clock, HEALTHY, type Health, type Logger, type Metrics, type Service } from "@culprit/runtime";
import { addressGuard, addressOf } from "./address-guard.ts";
import { openCallbacks } from "./callbacks/open.ts";
import type { CallbackServer } from "./callbacks/server.ts";
import type { NotifyConfig } from "./config.ts";
import type { DeliveryEvent } from "./desk.ts";
import { Engine } from "./engine.ts";
import { keepBeating } from "./heartbeat.ts";
import { type HttpWay, httpPost } from "./http.ts";
import { offersOf } from "./links/offer.ts";
import type { Notifier, NotifierContext, NotifierKind } from "./notifier.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { checkZone } from "./time-text.ts";
import { trustedAuthorities } from "./trust.ts";

const NOTIFY_GROUP = "notify";

export interface NotifyOptions {
  readonly bus: Bus;
  readonly config: NotifyConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Jitter; a number from 0 to 1. */
  readonly random?: () => number;
  /** Where the terminal notifier writes; standard output unless told. */
  readonly write?: (text: string) => Promise<void>;
  readonly kinds?: readonly NotifierKind[];
}

export interface NotifyService extends Service {
  /** Where signed links and callbacks are answered, where they are configured. */
  readonly callbacksUrl: string | undefined;
}

/**
 * Starts telling on-call.
 * Errors: `notify.bad-config`, `notify.unknown-zone`, `notify.bad-allow`, `notify.cannot-listen`; those of the bus.
 */
export async function start(options: NotifyOptions): Promise<NotifyService> {
  const { bus, config, clock, logger } = options;
  checkZone(config.timeZone);
  const notifiers = openNotifiers(options);
  const kinds = options.kinds ?? NOTIFIERS;
  const engine = new Engine({
    bus,
    config,
    clock,
    random: options.random ?? Math.random,
    notifiers,
    keepAliveMs: (kind) => kinds.find((known) => known.kind === kind)?.keepAliveMs,
    wakesPeople: (kind) => kinds.find((known) => known.kind === kind)?.isRecord !== true,
    observe: observer(options),
    offers: offersOf(config.callbacks),
  });
  watchQueues(options, engine);
  await engine.start();
  const reader = await bus.consume({
    group: NOTIFY_GROUP,
    topic: TOPICS.incidents.name,
    async open(assignment) {
      assignment.lost.addEventListener("abort", () => engine.disown(assignment.partition), { once: true });
      await engine.own(assignment.partition);
      return {
        async handle(batch) {
          const unreadable = batch.messages.filter(
            (message) => message.value !== null && !Incident.safeParse(message.value).success,
          );
          const outputs = unreadable.map((message) => ({
            topic: TOPICS["dead-letters"].name,
            key: message.key,
            value: deadLetter(Buffer.from(JSON.stringify(message.value)), {
              stage: "notify",
              failure: {
                reason: "notify.unreadable-incident",
                detail: "the record is not an incident of the contract",
              },
              at: clock.now(),
            }),
          }));
          if (outputs.length > 0) logger.error({ count: outputs.length }, "incidents could not be read");
          await assignment.commit({ outputs, position: batch.next });
        },
      };
    },
  });
  const callbacks = await startCallbacks(options, engine);
  const ending = new AbortController();
  const beating = startHeartbeat(options, ending.signal);
  let stopping: Promise<void> | undefined;
  return {
    callbacksUrl: callbacks?.url,
    ready: Promise.resolve(),
    health: () => healthOf(engine),
    failed: Promise.race([failureOf(engine.failed), failureOf(reader.ended)]),
    stop() {
      stopping ??= (async () => {
        ending.abort();
        await beating;
        await callbacks?.close();
        await reader.close();
        await engine.stop();
        for (const notifier of notifiers.values()) await notifier.close?.();
      })();
      return stopping;
    },
  };
}

async function startCallbacks(options: NotifyOptions, engine: Engine): Promise<CallbackServer | undefined> {
  const { config, random = Math.random, ...parts } = options;
  if (config.callbacks === undefined) return undefined;
  return openCallbacks({
    ...parts,
    random,
    config: config.callbacks,
    targets: config.targets,
    timeZone: config.timeZone,
    register: engine,
  });
}

async function startHeartbeat({ config, clock, metrics }: NotifyOptions, signal: AbortSignal): Promise<void> {
  if (config.heartbeat === undefined) return;
  const beats = metrics.counter("notify_heartbeats_total", "Beats sent to the watcher, by result", ["result"]);
  await keepBeating({
    url: config.heartbeat.url.reveal(),
    everyMs: config.heartbeat.everyMs,
    post: httpPost(addressGuard({ allow: config.allowAddresses }), wayOut(config)),
    clock,
    signal,
    onBeat: (result) => beats.add(1, { result }),
  });
}

/** Resolves with the error once the work fails, and not at all when it ends in peace. */
function failureOf(work: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    work.catch(resolve);
  });
}

/** Opens the notifier of every target. Errors: `notify.bad-config` for a kind that is not known. */
export function openNotifiers(
  options: Pick<NotifyOptions, "config" | "clock" | "write" | "kinds">,
): ReadonlyMap<string, Notifier> {
  const kinds = options.kinds ?? NOTIFIERS;
  const guard = addressGuard({ allow: options.config.allowAddresses });
  const way = wayOut(options.config);
  const context: NotifierContext = {
    post: httpPost(guard, way),
    trust: way.trust,
    addressOf: (host) => addressOf(guard, host),
    guard,
    write: options.write ?? writeOut,
    now: () => options.clock.now(),
    interactive: interactiveChats(options.config),
  };
  const opened = options.config.targets.map((target): [string, Notifier] => {
    const kind = kinds.find((known) => known.kind === target.kind);
    if (kind !== undefined) return [target.name, kind.open(target, context)];
    const known = kinds.map((each) => each.kind).join(", ");
    throw new Fault("notify.bad-config", `no notifier is called "${target.kind}"; known are ${known}`);
  });
  return new Map(opened);
}

function wayOut({ ca, proxy }: NotifyConfig): HttpWay {
  return { trust: trustedAuthorities(ca), proxy };
}

/** The chats that call us back when a button is pressed. */
function interactiveChats({ callbacks }: NotifyConfig): NotifierContext["interactive"] {
  return new Set((["slack", "telegram"] as const).filter((chat) => callbacks?.[chat] !== undefined));
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}

function observer({ metrics, logger }: NotifyOptions): (event: DeliveryEvent) => void {
  const sent = metrics.counter("notifications_sent_total", "Attempts by target and result", [
    "target",
    "action",
    "result",
  ]);
  const quiet = metrics.counter("notifications_quiet_total", "Decisions to stay quiet, by reason", [
    "target",
    "reason",
  ]);
  const handed = metrics.counter("notifications_handed_over_total", "Pages handed to the fallback", ["target"]);
  const still = metrics.counter("notifications_still_open_total", "Closed pages that their target had open", [
    "target",
  ]);
  const full = metrics.counter("notify_queue_full_total", "Offers left to the next comparison", ["target"]);
  return (event) => {
    const target = event.notifier;
    switch (event.kind) {
      case "sent": {
        const { action, result, detail, incident } = event;
        sent.add(1, { target, action, result });
        const fields = { target, action, result, detail, incident };
        if (result === "ok") logger.info(fields, "notification sent");
        else if (result === "later") logger.warn(fields, "notification not taken, trying again");
        else logger.error(fields, "notification refused");
        return;
      }
      case "quiet":
        return quiet.add(1, { target, reason: event.reason });
      case "still-open":
        still.add(1, { target });
        logger.warn({ target, incident: event.incident, times: event.times }, "a page that was closed is still open");
        return;
      case "handed-over":
        logger.error({ target, incident: event.incident }, "page handed to the fallback");
        return handed.add(1, { target });
      case "queue-full":
        return full.add(1, { target });
    }
  };
}

function watchQueues({ metrics }: NotifyOptions, engine: Engine): void {
  metrics.observe("notify", "Incidents that wait for their targets, and targets that are down", () => {
    const targets = [...engine.targets];
    return {
      queue_depth: targets.reduce((sum, target) => sum + target.depth, 0),
      targets_down: targets.filter((target) => target.isDown).length,
    };
  });
}

function healthOf(engine: Engine): Health {
  const down = [...engine.targets].filter((target) => target.isDown);
  if (down.length === 0) return HEALTHY;
  return { state: "degraded", reasons: down.map((target) => `target "${target.name}" does not take pages`) };
}
