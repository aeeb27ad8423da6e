/** Opens what the config asks for of what comes back from people. */
import type { Bus } from "@culprit/bus";
import type { Clock, Logger, Metrics } from "@culprit/runtime";
import type { TargetConfig } from "../config.ts";
import type { Callback } from "./asked.ts";
import { type CallbackConfig, keysOf } from "./config.ts";
import { pagerDutyCallback } from "./pagerduty.ts";
import { type Register, replyDesk } from "./reply-desk.ts";
import { type CallbackServer, startCallbackServer } from "./server.ts";
import { slackCallback } from "./slack.ts";
import { telegramCallback } from "./telegram.ts";

/** Starts the port for links and callbacks. Errors: `notify.cannot-listen`. */
export function openCallbacks(context: {
  readonly config: CallbackConfig;
  readonly targets: readonly TargetConfig[];
  readonly timeZone: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly register: Register;
}): Promise<CallbackServer> {
  const { config, targets, timeZone, bus, clock, random, logger, metrics, register } = context;
  const { host, port, trustedProxies, acknowledgeForMs, links } = config;
  return startCallbackServer({
    host,
    port,
    trustedProxies,
    callbacks: callbacksOf(config, targets),
    timeZone,
    linkKeys: links === undefined ? undefined : keysOf(links.key, links.previousKey),
    desk: replyDesk({ bus, clock, random, register, ...(acknowledgeForMs === undefined ? {} : { acknowledgeForMs }) }),
    clock,
    logger,
    metrics,
  });
}

function callbacksOf({ pagerduty, slack, telegram }: CallbackConfig, targets: readonly TargetConfig[]): Callback[] {
  const found: Callback[] = [];
  if (pagerduty !== undefined) found.push(pagerDutyCallback(keysOf(pagerduty.secret, pagerduty.previousSecret)));
  if (slack !== undefined) found.push(slackCallback(keysOf(slack.signingSecret, slack.previousSigningSecret)));
  if (telegram !== undefined) {
    const secretTokens = keysOf(telegram.secretToken, telegram.previousSecretToken);
    const chats = targets.flatMap((target) => (target.kind === "telegram" && "chat" in target ? [target.chat] : []));
    found.push(telegramCallback({ secretTokens, chats: chats.map(String) }));
  }
  return found;
}
