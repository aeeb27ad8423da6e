/**
 * The playbook file. `docs/playbooks.md` explains it to authors; `docs/schema/playbook.json` is generated from here.
 */
import { DAY_MS, durationMs, Severity } from "@culprit/model";
import { z } from "zod";
import { Weight } from "./weight.ts";

const Name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, "a name such as lowMemory");
const Id = z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "an id such as storage-path-loss");

/** The longest time that a playbook may look back, on or wait: what is remembered for longer is no incident's any more. */
export const DURATION_MAX_MS = 366 * DAY_MS;

/** `-15m`, `90s`, `6h`, `30d`. Milliseconds once parsed. */
export const Duration = z.string().transform((text, context) => {
  const ms = durationMs(text);
  if (ms !== undefined && Math.abs(ms) <= DURATION_MAX_MS) return ms;
  const message = ms === undefined ? "a duration such as 90s, -15m, 6h or 30d" : "a duration of a year at most";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});
const NotNegative = Duration.refine((ms) => ms >= 0, "a duration that is not negative");
const Positive = Duration.refine((ms) => ms > 0, "a duration above zero");
export const Within = z
  .tuple([Duration, Duration])
  .refine(([from, to]) => from <= to, "[from, to] with from before to");

const WherePredicate = z.union([
  z.union([z.string(), z.number()]).transform((value) => ({ in: [String(value)] })),
  z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .transform((values) => ({ in: values.map(String) })),
  z
    .strictObject({ not: z.array(z.union([z.string(), z.number()])).min(1) })
    .transform(({ not }) => ({ notIn: not.map(String) })),
  z.strictObject({ contains: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ min: z.exactOptional(z.number()), max: z.exactOptional(z.number()) }),
  z.strictObject({ same: Name }),
  z.strictObject({ present: z.boolean() }),
]);
export type WherePredicate = z.output<typeof WherePredicate>;

const Names = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((name) => (typeof name === "string" ? [name] : name));

export const SignalUse = z
  .strictObject({
    /** Detections. */
    rule: Names.default([]),
    /** Incidents of other playbooks instead of detections; their bindings are `playbook`, `cause`, `place` and their variables. */
    incident: Names.default([]),
    /** Who logged it: a role or a variable. */
    on: z.exactOptional(z.string()),
    /** Whom it speaks about: a role or a variable. Default: the incident's host, by subject where there is one, else by logger. */
    about: z.exactOptional(z.string()),
    /** Conditions on bindings, compared without case. `same: name` compares with the incident's variable. */
    where: z.record(z.string(), WherePredicate).default({}),
    /** Variables this signal gives the incident when it opens it: variable -> `logger`, `subject` or a binding. */
    as: z.record(Name, z.string()).default({}),
    /** `no` keeps its hosts out of the scope: they only report. */
    scope: z.boolean().default(true),
  })
  .refine((use) => (use.rule.length === 0) !== (use.incident.length === 0), "either 'rule' or 'incident'");
export type SignalUse = z.output<typeof SignalUse>;

const Evidence = z.strictObject({
  signal: z.exactOptional(Name),
  /** Several ways to see the same thing: the best counts, more of them a little. */
  any: z.exactOptional(z.array(Name).min(1)),
  /** A condition over signals instead of one signal. */
  when: z.exactOptional(z.string()),
  within: z.exactOptional(Within),
  for: z.exactOptional(Weight),
  against: z.exactOptional(Weight),
  /** Taken off when it was not seen although the log covers the window. */
  missing: z.exactOptional(Weight),
  /** The log that would hold it. Default: the channel of the rule, on the host of the signal. */
  coverage: z.exactOptional(z.string()),
  atLeast: z.number().int().min(1).default(1),
  /** Items of one group tell one story: only the largest counts. */
  group: z.exactOptional(Name),
  /** Line to show instead of the one made from the detection's `say`. */
  text: z.exactOptional(z.string()),
  /** What to say and how to collect it where it is neither seen nor proven absent. */
  ask: z.exactOptional(z.string()),
  collect: z.exactOptional(z.string()),
});
export type Evidence = z.output<typeof Evidence>;

const Ask = z.strictObject({ text: z.string().min(1), collect: z.exactOptional(z.string()) });

const Cause = z.strictObject({
  id: Id,
  title: z.string().min(1),
  summary: z.string().min(1),
  prior: z.number().gt(0).lt(1),
  evidence: z.array(Evidence).default([]),
  missing: z.array(Ask).default([]),
  actions: z.array(z.string().min(1)).min(1),
  references: z.array(z.string().min(1)).default([]),
  /** Signals that this cause makes when true: they become children instead of incidents of their own. */
  confidence: z.enum(["verified", "unverified"]).default("verified"),
});
export type Cause = z.output<typeof Cause>;

const YesNo = z.union([z.boolean(), z.enum(["yes", "no"])]).transform((value) => value === true || value === "yes");

/** Every combination of the inputs must have its row; compiled to evidence. */
const Table = z.strictObject({
  inputs: z.record(Name, Name),
  within: z.exactOptional(Within),
  rows: z
    .array(z.strictObject({ if: z.record(Name, YesNo), cause: Id, for: Weight, note: z.exactOptional(z.string()) }))
    .min(2),
});
export type Table = z.output<typeof Table>;

const Explains = z.strictObject({
  playbooks: z.array(z.string()).min(1),
  /** How the other incident's hosts stand to this one's. */
  on: z.enum(["same-host", "scope", "cluster", "guests", "any"]).default("scope"),
  within: Within.default([-600_000, 3_600_000]),
  /** Only while one of these causes leads; default: whatever leads. */
  causes: z.exactOptional(z.array(Id).min(1)),
});
export type Explains = z.output<typeof Explains>;

/** Order of depth, deepest first: what stands earlier explains what stands later, never the other way round. */
export const LAYERS = [
  "planned",
  "power",
  "hardware",
  "hypervisor",
  "storage",
  "network",
  "os",
  "cluster",
  "directory",
  "service",
  "backup",
  "licensing",
  "telemetry",
] as const;

export const Playbook = z.strictObject({
  playbook: z.literal(1),
  id: Id,
  version: z.number().int().min(1),
  title: z.string().min(1),
  severity: Severity,
  /** The first condition that holds raises or lowers it. */
  severityWhen: z.array(z.strictObject({ when: z.string(), is: Severity })).default([]),
  layer: z.enum(LAYERS),
  /** Variables that tell one incident of this playbook from another; `host` is the machine spoken about. */
  entity: z.array(Name).min(1).default(["host"]),
  /** Where its signals are gathered. */
  at: z.enum(["host", "cluster", "domain", "fleet"]).default("host"),
  /** With `at: host`, the variable whose machine gathers; everything protected by it or running on it is seen there. */
  home: Name.default("host"),
  signals: z.record(Name, SignalUse),
  /**
   * A signal by which machines blame each other: the incident's `host` is the one that most loggers blame. For incidents
   * about something wider than a host, a cluster above all.
   */
  victim: z.exactOptional(Name),
  open: z.strictObject({
    when: z.string(),
    /** No incident while this holds around the opener. */
    unless: z.exactOptional(z.string()),
    /** Where `unless` looks, relative to the anchor. */
    unlessWithin: Within.default([-1_800_000, 900_000]),
    /** Which signals give the time; the first that is there. Default: all that `when` names. */
    anchor: z.exactOptional(z.array(Name).min(1)),
    /** Openers of one entity closer together than this are one incident. */
    merge: Positive.default(1_800_000),
  }),
  collect: z
    .strictObject({ before: NotNegative, after: NotNegative, lateness: NotNegative.default(21_600_000) })
    .refine(({ before, after }) => before + after > 0, "a window that is longer than nothing"),
  table: z.exactOptional(Table),
  causes: z.array(Cause).min(1),
  unknown: z.strictObject({
    prior: z.number().gt(0).lt(1),
    title: z.string().min(1).default("Cause not known yet"),
    summary: z
      .string()
      .min(1)
      .default("Nothing seen so far speaks for one cause more than for another; evidence is missing."),
    missing: z.array(Ask).default([]),
    actions: z.array(z.string().min(1)).default([]),
  }),
  /** Shown on the timeline, counted for no cause. */
  context: z.array(Name).default([]),
  facts: z.array(z.strictObject({ when: z.exactOptional(z.string()), say: z.string() })).default([]),
  notTheCause: z.array(z.string()).default([]),
  explains: z.array(Explains).default([]),
  close: z
    .strictObject({
      when: z.exactOptional(z.string()),
      idle: Positive.default(7_200_000),
      reopen: Positive.default(86_400_000),
    })
    .prefault({}),
  alert: z.strictObject({ wait: NotNegative.default(45_000) }).prefault({}),
  /** Article titles of 2009 that this playbook came from. */
  articles: z.array(z.string()).default([]),
  references: z.array(z.string()).default([]),
});
export type Playbook = z.output<typeof Playbook>;
