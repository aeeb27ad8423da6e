/** The verbs by which people answer an incident, and the one that makes their passwords. */
import type { ActionKind } from "@culprit/model";
import type { Command } from "commander";
import type { ActOptions } from "./commands/act.ts";
import { userName } from "./user-name.ts";
import type { VerbTools } from "./verb-tools.ts";

interface ActVerb {
  readonly name: string;
  readonly kind: ActionKind;
  readonly says: string;
  /** A second argument, and the field it becomes. */
  readonly argument?: readonly [name: string, field: string];
  readonly hasDuration?: boolean;
}

const VERBS: readonly ActVerb[] = [
  { name: "ack", kind: "acknowledge", says: "say that you are on an incident", hasDuration: true },
  { name: "resolve", kind: "resolve", says: "say that an incident is over; what returns is a new one" },
  { name: "reopen", kind: "reopen", says: "take a resolve back" },
  { name: "note", kind: "note", says: "write a note on an incident", argument: ["text", "note"] },
  { name: "confirm", kind: "confirm-cause", says: "say what it was", argument: ["cause", "cause"] },
  { name: "unlink", kind: "unlink", says: "take an event out of an incident", argument: ["event", "event"] },
  { name: "relink", kind: "relink", says: "put an event back", argument: ["event", "event"] },
];

/** Adds the verbs to the program. */
export function addPeopleVerbs(program: Command, { verb, print }: VerbTools): void {
  for (const { name, kind, says, argument, hasDuration } of VERBS) {
    const command = program
      .command(`${name} <incident>${argument === undefined ? "" : ` <${argument[0]}>`}`)
      .description(`${says}; eight characters of its id are enough`)
      .option("--who <name>", "in whose name", userName())
      .option("--console <url>", "where the console answers", "http://127.0.0.1:8080")
      .option("--token-file <file>", "holds a token of the console's");
    if (kind !== "note") command.option("--note <text>", "why");
    if (hasDuration === true) command.option("--for <duration>", "how long it holds, such as 30m or 4h");
    command.action(
      verb(async (incident: string, second: string | ActOptions, third?: ActOptions) => {
        const options = argument === undefined ? (second as ActOptions) : (third as ActOptions);
        const what = argument === undefined ? {} : { [argument[1]]: second as string };
        return (await import("./commands/act.ts")).runAct(kind, incident, what, options, print);
      }),
    );
  }

  program
    .command("password <name>")
    .description("a line for console.passwordsFile; the password is read from standard input")
    .action(
      verb(async (name: string) => (await import("./commands/password.ts")).runPassword(name, process.stdin, print)),
    );
}
