/** The notifier's part of the config: whom to tell, about what, how patiently. Unknown keys are refused. */
import { HOUR_MS, MINUTE_MS, SECOND_MS, Severity, WeeklySchedule } from "@culprit/model";
import { type Secret, secretText } from "@culprit/runtime";
import { z } from "zod";
import { CallbackConfig } from "./callbacks/config.ts";
import { addressProblems } from "./config-addresses.ts";
import type { NotifierKind } from "./notifier.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { ProxyOptions } from "./proxy.ts";
import { TemplateOptions } from "./template.ts";
import { isZone } from "./time-text.ts";
import { Authorities } from "./trust.ts";

const Duration = (whenAbsent: number) =>
  z
    .int()
    .min(0)
    .max(7 * 24 * HOUR_MS)
    .default(whenAbsent);

const TimeZone = z.string().refine(isZone, "expected an IANA time zone such as Europe/Oslo");

/**
 * The rules for sending to a target; the options of its kind stand beside them.
 * @internal
 */
export const TARGET_RULES = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of lower-case letters, digits and dashes"),
  /** The least severity that pages here; what is open here is always closed. */
  leastSeverity: Severity.default("low"),
  /** Only these playbooks; all unless given. */
  playbooks: z.exactOptional(z.array(z.string())),
  /** Only incidents with a scope entry (host, cluster, VM, place) that matches one of these; `*` stands for any text. */
  scope: z.exactOptional(z.array(z.string().min(1).max(255))),
  /** Only at these hours of the week; what is open by then waits for the next of them. */
  when: z.exactOptional(WeeklySchedule),
  /** The zone that comes first on its pages, where it is not everybody's. */
  timeZone: z.exactOptional(TimeZone),
  /** Its own words for title and text, in Liquid; see `template.ts`. */
  template: z.exactOptional(TemplateOptions),
  /** Sends nothing of its own accord; only what another target hands over. */
  fallbackOnly: z.boolean().default(false),
  /** The target that is told when this one cannot be. */
  fallback: z.exactOptional(z.string()),
  /** The target that is told as well when nobody acknowledges for `escalateAfterMs`. */
  escalateTo: z.exactOptional(z.string()),
  escalateAfterMs: z.exactOptional(
    z
      .int()
      .min(MINUTE_MS)
      .max(7 * 24 * HOUR_MS),
  ),
  giveUpAfterMs: Duration(5 * MINUTE_MS),
  timeoutMs: z
    .int()
    .min(100)
    .max(5 * MINUTE_MS)
    .default(15 * SECOND_MS),
  authPauseMs: Duration(10 * MINUTE_MS),
  /** Waits so long with the first page for a wider incident that explains it; Alertmanager's `group_wait`. */
  groupWaitMs: z
    .int()
    .min(0)
    .max(15 * MINUTE_MS)
    .default(0),
  /** Alertmanager's `group_interval`. */
  updateEveryMs: Duration(2 * MINUTE_MS),
  /** Tells an open, unacknowledged incident again after this; never unless given. Alertmanager's `repeat_interval`. */
  repeatMs: z.exactOptional(z.int().min(MINUTE_MS)),
  rate: z
    .strictObject({ perMinute: z.number().min(0.1).max(10_000), burst: z.int().min(1).max(1_000) })
    .default({ perMinute: 30, burst: 10 }),
  /** When more new pages than this wait for the rate, one page says how many and which are the gravest. */
  digestOver: z.int().min(1).max(10_000).default(20),
  queueMax: z.int().min(1).max(100_000).default(5_000),
} as const;

const TargetRules = z.object(TARGET_RULES);
/** A target's rules, its kind, and the options of that kind among them. */
export type TargetConfig = z.infer<typeof TargetRules> & { readonly kind: string };

export interface NotifyConfig {
  /** The zone that comes first on a page; UTC stands beside it. */
  readonly timeZone: string;
  /** Where the console is reached from outside, for the link; without a trailing slash. */
  readonly consoleUrl?: string;
  readonly targets: readonly TargetConfig[];
  /** Networks and names that notifiers may reach although they are private. */
  readonly allowAddresses: readonly string[];
  /** Authorities of one's own house (PEM), trusted besides the system's. */
  readonly ca?: string;
  /** What targets and the heartbeat are reached through over HTTP. */
  readonly proxy?: ProxyOptions;
  /** How often everything is compared again: what a full queue or a lost answer left behind is found here. */
  readonly reconcileEveryMs: number;
  /** A watcher elsewhere that pages when we fall silent; the URL is a secret. */
  /** What comes back from people: signed links, buttons of chats, acknowledgements of pagers; off unless given. */
  readonly callbacks?: CallbackConfig;
  readonly heartbeat?: { readonly url: Secret; readonly everyMs: number };
}

/**
 * The config's schema, given the ways to reach people.
 * @internal
 */
export function notifyConfig(kinds: readonly NotifierKind[]): z.ZodType<NotifyConfig> {
  const [first, ...others] = kinds.map(targetOfKind);
  if (first === undefined) throw new TypeError("there is no way to reach people");
  return z
    .strictObject({
      timeZone: TimeZone.default("UTC"),
      consoleUrl: z.exactOptional(z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""))),
      targets: z
        .array(z.discriminatedUnion("kind", [first, ...others]))
        .max(100)
        .default([]),
      allowAddresses: z.array(z.string()).default([]),
      ca: z.exactOptional(Authorities),
      proxy: z.exactOptional(ProxyOptions),
      reconcileEveryMs: z
        .int()
        .min(SECOND_MS)
        .default(5 * MINUTE_MS),
      callbacks: z.exactOptional(CallbackConfig),
      heartbeat: z.exactOptional(
        z.strictObject({
          url: secretText.refine((url) => URL.canParse(url.reveal()), "expected a URL"),
          everyMs: z
            .int()
            .min(10 * SECOND_MS)
            .default(5 * MINUTE_MS),
        }),
      ),
    })
    .superRefine((config, context) => {
      for (const { path, message } of addressProblems(config)) {
        context.addIssue({ code: "custom", path: [...path], message });
      }
      const { targets } = config;
      const names = targets.map((target) => target.name);
      targets.forEach(({ name, fallback, escalateTo, escalateAfterMs }, index) => {
        const issue = (key: string, message: string): void => {
          context.addIssue({ code: "custom", path: ["targets", index, key], message });
        };
        if (names.indexOf(name) !== index) issue("name", `two targets are named "${name}"`);
        for (const [key, other] of Object.entries({ fallback, escalateTo })) {
          if (other !== undefined && (other === name || !names.includes(other))) {
            issue(key, `"${other}" is no other target; known are ${names.join(", ")}`);
          }
        }
        if ((escalateTo === undefined) !== (escalateAfterMs === undefined)) {
          issue("escalateTo", "give escalateTo and escalateAfterMs together");
        }
      });
    });
}

/** The zone of a target's pages. */
export function zoneOf({ targets, timeZone }: Pick<NotifyConfig, "targets" | "timeZone">, target: string): string {
  return targets.find(({ name }) => name === target)?.timeZone ?? timeZone;
}

function targetOfKind({ kind, options }: NotifierKind) {
  return z.strictObject({ ...options.shape, ...TARGET_RULES, kind: z.literal(kind) });
}

/** The notifier's part of the config: whom to tell, about what, how patiently. */
export const NotifyConfig = notifyConfig(NOTIFIERS);
