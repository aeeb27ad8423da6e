/** `culprit ack`, `resolve`, `reopen`, `note`, `unlink`, `relink`, `confirm`: what a person does about an incident. */
import { Action, type ActionKind, durationMs, Fault, plainLine } from "@culprit/model";
import { askConsole, type ConsoleOptions } from "../console-client.ts";
import { EXIT } from "../exit-code.ts";

export interface ActOptions extends ConsoleOptions {
  readonly who: string;
  readonly note?: string;
  /** How long an acknowledgement holds. */
  readonly for?: string;
}

const WORDS: Readonly<Record<ActionKind, string>> = {
  acknowledge: "acknowledged",
  resolve: "resolved",
  reopen: "reopened",
  note: "noted on",
  unlink: "taken out of",
  relink: "put back into",
  "confirm-cause": "cause confirmed of",
};

/**
 * Does one thing about an incident; the first eight characters of its id are enough.
 * Errors: `act.bad-duration`, `console.no-answer`, `console.refused`.
 */
export async function runAct(
  kind: ActionKind,
  incident: string,
  what: Readonly<Record<string, string>>,
  options: ActOptions,
  print: (text: string) => void,
): Promise<number> {
  const { who, note } = options;
  const forMs = options.for === undefined ? {} : { forMs: durationOf(options.for) };
  const body = { kind, who, ...(note === undefined ? {} : { note }), ...what, ...forMs };
  const path = `/incidents/${encodeURIComponent(incident)}/actions`;
  const action = Action.parse(await askConsole(options, { method: "POST", path, body }));
  const until = action.kind === "acknowledge" && action.until !== undefined ? action.until : undefined;
  const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
  print(plainLine(`${WORDS[action.kind]} ${action.incident.slice(0, 12)} by ${action.who}${end}`));
  return EXIT.done;
}

function durationOf(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new Fault("act.bad-duration", `"${text}" is no duration; expected one like 30m, 4h or 2d`);
}
