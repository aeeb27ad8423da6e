/** The notifier's part of the config: whom to tell, about what, how patiently. Unknown keys are refused. */
import { HOUR_MS, MINUTE_MS, SECOND_MS, Severity } from "@culprit/model";
import { z } from "zod";

const Duration = (whenAbsent: number) =>
  z
    .int()
    .min(0)
    .max(7 * 24 * HOUR_MS)
    .default(whenAbsent);

/** One target: a name of its own, its kind with the options of that kind, and the rules for sending to it. */
export const TargetConfig = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of lower-case letters, digits and dashes"),
  kind: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  /** The least severity that pages here; what is open here is always closed. */
  leastSeverity: Severity.default("low"),
  /** Only these playbooks; all unless given. */
  playbooks: z.array(z.string()).optional(),
  /** Only incidents with a scope entry (host, cluster, VM, place) that matches one of these; `*` stands for any text. */
  scope: z.array(z.string().min(1).max(255)).optional(),
  /** Sends nothing of its own accord; only what another target hands over. */
  fallbackOnly: z.boolean().default(false),
  /** The target that is told when this one cannot be. */
  fallback: z.string().optional(),
  giveUpAfterMs: Duration(5 * MINUTE_MS),
  timeoutMs: z
    .int()
    .min(100)
    .max(5 * MINUTE_MS)
    .default(15 * SECOND_MS),
  authPauseMs: Duration(10 * MINUTE_MS),
  updateEveryMs: Duration(2 * MINUTE_MS),
  /** Tells an open, unacknowledged incident again after this; never unless given. */
  repeatMs: z.int().min(MINUTE_MS).optional(),
  rate: z
    .strictObject({ perMinute: z.number().min(0.1).max(10_000), burst: z.int().min(1).max(1_000) })
    .default({ perMinute: 30, burst: 10 }),
  queueMax: z.int().min(1).max(100_000).default(5_000),
});
export type TargetConfig = z.infer<typeof TargetConfig>;

export const NotifyConfig = z
  .strictObject({
    /** The zone that comes first on a page; UTC stands beside it. */
    timeZone: z.string().default("UTC"),
    /** Where the console is reached from outside, for the link. */
    consoleUrl: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ""))
      .optional(),
    targets: z.array(TargetConfig).max(100).default([]),
    /** Networks and names that notifiers may reach although they are private. */
    allowAddresses: z.array(z.string()).default([]),
    /** How often everything is compared again: what a full queue or a lost answer left behind is found here. */
    reconcileEveryMs: z
      .int()
      .min(SECOND_MS)
      .default(5 * MINUTE_MS),
  })
  .superRefine((config, context) => {
    const names = config.targets.map((target) => target.name);
    config.targets.forEach((target, index) => {
      const path = ["targets", index];
      if (names.indexOf(target.name) !== index) {
        context.addIssue({
          code: "custom",
          path: [...path, "name"],
          message: `two targets are named "${target.name}"`,
        });
      }
      if (target.fallback === undefined) return;
      if (target.fallback === target.name || !names.includes(target.fallback)) {
        const message = `"${target.fallback}" is no other target; known are ${names.join(", ")}`;
        context.addIssue({ code: "custom", path: [...path, "fallback"], message });
      }
    });
  });
export type NotifyConfig = z.infer<typeof NotifyConfig>;
