/** `culprit silence`: adds, lists, removes and previews silences over the console's API. */
import { durationMs, Fault, plainLine, Silence, WEEKDAYS } from "@culprit/model";
import { z } from "zod";
import { askConsole, type ConsoleOptions, type ConsoleRequest } from "../console-client.ts";
import { EXIT } from "../exit-code.ts";

/** What a silence covers, as options: everything given must match, of each list one. */
interface MatchOptions extends ConsoleOptions {
  readonly scope?: readonly string[];
  readonly playbook?: readonly string[];
  readonly severity?: readonly string[];
}

export interface SilenceAddOptions extends MatchOptions {
  readonly for?: string;
  readonly from?: string;
  readonly until?: string;
  readonly days?: string;
  readonly hours?: string;
  readonly timezone: string;
  readonly who: string;
  readonly comment: string;
}

type Print = (text: string) => void;

const Shown = z.object({
  id: z.string(),
  state: z.string(),
  match: z.record(z.string(), z.array(z.string())),
  from: z.string(),
  until: z.string(),
  changesAt: z.exactOptional(z.string()),
  recurrence: z.exactOptional(
    z.object({
      zone: z.string(),
      windows: z.array(z.object({ days: z.array(z.string()), from: z.string(), to: z.string() })),
    }),
  ),
  who: z.string(),
  comment: z.string(),
});
type Shown = z.output<typeof Shown>;
const Covered = z.object({
  total: z.number(),
  incidents: z.array(z.object({ id: z.string(), title: z.string(), severity: z.string(), status: z.string() })),
});

/** Adds a silence. Errors: `silence.bad-hours`, `silence.bad-duration`, `console.no-answer`, `console.refused`. */
export async function runSilenceAdd(options: SilenceAddOptions, print: Print): Promise<number> {
  const { from, until, who, comment } = options;
  const forMs = options.for === undefined ? undefined : durationOf(options.for);
  const recurrence = recurrenceOf(options);
  const body = { match: matchOf(options), from, until, forMs, recurrence, who, comment };
  const added = Shown.parse(await ask(options, { method: "POST", path: "", body }));
  print(lineOf(added));
  return await printCovered(options, added.match, print);
}

/** Lists silences: those that stand, or all that are still known. Errors: `console.no-answer`. */
export async function runSilenceList(
  options: ConsoleOptions & { readonly all?: boolean; readonly json?: boolean },
  print: Print,
): Promise<number> {
  const { silences } = z.object({ silences: z.array(Shown) }).parse(await ask(options, { method: "GET", path: "" }));
  const shown = silences.filter(({ state }) => options.all === true || state !== "ended");
  if (options.json === true) print(JSON.stringify(shown));
  else if (shown.length === 0) print("no silence stands");
  else for (const silence of shown) print(lineOf(silence));
  return EXIT.done;
}

/** Ends a silence; the first characters of its id are enough. Errors: `console.no-answer`, `silence.unknown`. */
export async function runSilenceRemove(
  id: string,
  options: ConsoleOptions & { readonly who: string },
  print: Print,
): Promise<number> {
  const { silences } = z.object({ silences: z.array(Shown) }).parse(await ask(options, { method: "GET", path: "" }));
  const found = silences.filter((silence) => silence.id.startsWith(id));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Fault(
      "silence.unknown",
      `${found.length === 0 ? "no" : "more than one"} silence has an id beginning ${id}`,
    );
  }
  const path = `/${only.id}?who=${encodeURIComponent(options.who)}`;
  print(lineOf(Shown.parse(await ask(options, { method: "DELETE", path }))));
  return EXIT.done;
}

/** Says what a silence would cover of what is going on. Errors: `console.no-answer`, `console.refused`. */
export function runSilencePreview(options: MatchOptions, print: Print): Promise<number> {
  return printCovered(options, matchOf(options), print);
}

async function printCovered(options: ConsoleOptions, match: unknown, print: Print): Promise<number> {
  const { total, incidents } = Covered.parse(await ask(options, { method: "POST", path: "/preview", body: { match } }));
  print(total === 0 ? "covers nothing that is going on now" : `covers ${total} of what is going on now:`);
  for (const { id, title, severity } of incidents) print(plainLine(`  ${id.slice(0, 12)}  ${severity}  ${title}`));
  if (total > incidents.length) print(`  and ${total - incidents.length} more`);
  return EXIT.done;
}

/** The silences that a console knows, ended ones too. Errors: `console.no-answer`. */
export async function silencesOf(options: ConsoleOptions): Promise<readonly Silence[]> {
  const answer = await ask(options, { method: "GET", path: "" });
  const { silences } = z
    .object({ silences: z.array(z.looseObject({ lifted: z.looseObject({}).optional() })) })
    .parse(answer);
  const instant = (value: unknown): number => Date.parse(String(value));
  return silences.map(({ from, until, at, lifted, ...kept }) =>
    Silence.parse({
      ...kept,
      kind: "silence",
      from: instant(from),
      until: instant(until),
      at: instant(at),
      ...(lifted === undefined ? {} : { lifted: { ...lifted, at: instant(lifted["at"]) } }),
    }),
  );
}

function matchOf({ scope, playbook, severity }: MatchOptions): Record<string, readonly string[]> {
  const given = { scope, playbooks: playbook, severities: severity };
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function durationOf(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new Fault("silence.bad-duration", `"${text}" is no duration; expected one like 90m, 2h or 7d`);
}

const HOURS = /^(\d\d:\d\d)-(\d\d:\d\d)$/;

function recurrenceOf({ days, hours, timezone }: SilenceAddOptions): unknown {
  if (days === undefined && hours === undefined) return undefined;
  const [, from, to] = HOURS.exec(hours ?? "00:00-24:00") ?? [];
  const named = days?.split(",").map((day) => day.trim().toLowerCase()) ?? [...WEEKDAYS];
  if (from === undefined || to === undefined || named.some((day) => !WEEKDAYS.some((known) => known === day))) {
    throw new Fault("silence.bad-hours", "expected --days such as sat,sun and --hours such as 22:00-04:00");
  }
  return { zone: timezone, windows: [{ days: named, from, to }] };
}

function lineOf({ id, state, match, from, until, changesAt, recurrence, who, comment }: Shown): string {
  const covers = Object.entries(match).map(([key, values]) => `${key} ${values.join(" or ")}`);
  const hours = recurrence?.windows.map((window) => `${window.days.join(",")} ${window.from}-${window.to}`).join("; ");
  const weekly = hours === undefined ? "" : ` at ${hours} ${recurrence?.zone ?? ""}`;
  const next = changesAt === undefined ? "" : ` until ${changesAt}`;
  return plainLine(
    `${id.slice(0, 12)}  ${state}${next}  ${covers.join(", ")}${weekly}  (${from} to ${until}; ${who}: ${comment})`,
  );
}

function ask(options: ConsoleOptions, { path, ...request }: ConsoleRequest): Promise<unknown> {
  return askConsole(options, { ...request, path: `/silences${path}` });
}
