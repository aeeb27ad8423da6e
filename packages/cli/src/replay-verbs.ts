/** The verbs under `culprit replay` and their options. */
import { type Command, InvalidArgumentError } from "commander";
import type { VerbTools } from "./verb-tools.ts";

type Commands = typeof import("./commands/replay.ts");
type OptionsOf<Run extends keyof Commands> = Parameters<Commands[Run]>[0];

/** What the console answers at once. */
const LETTERS_MAX = 500;

/** Adds the verbs to the program. */
export function addReplayVerbs(program: Command, { verb, print, zoneOf, instantOf }: VerbTools): void {
  const load = (): Promise<Commands> => import("./commands/replay.ts");
  const replay = program.command("replay").description("what was stored, once more");

  replay
    .command("events")
    .description("play the stored events through today's knowledge and print the incidents; nobody is told")
    .option("--config <file>", "configuration; culprit.yaml in this folder where there is one")
    .option("--data <dir>", "the log of culprit up, which must not run on it; a copy will do", ".data")
    .option("--playbooks <dir>", "a folder of your own to try, in place of the config's")
    .option("--since <instant>", "leave out what arrived earlier", instantOf)
    .option("--until <instant>", "leave out what arrived later", instantOf)
    .option("--timezone <zone>", "zone of the page (IANA name)", zoneOf, "UTC")
    .option("--all", "also what is attached to another incident or for the record only")
    .option("--json", "one incident a line")
    .option("--md", "Markdown")
    .action(verb(async (options: OptionsOf<"runReplayEvents">) => (await load()).runReplayEvents(options, print)));

  replay
    .command("dead-letters")
    .description("send what could not be read to a receiver again, once the reason is repaired")
    .option("--console <url>", "where the console answers", "http://127.0.0.1:8080")
    .option("--token-file <file>", "holds a token of the console's")
    .option("--to <url>", "where the receivers listen", "http://127.0.0.1:8088")
    .option("--token <token>", "a token of the receivers'")
    .option("--reason <prefix>", "only letters whose reason begins so, such as xml.")
    .option("--limit <count>", "so many of the newest", countOf, LETTERS_MAX)
    .option("--dry-run", "say what would be sent, and send nothing")
    .action(verb(async (options: OptionsOf<"runReplayLetters">) => (await load()).runReplayLetters(options, print)));
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= LETTERS_MAX) return count;
  throw new InvalidArgumentError(`a count from 1 to ${LETTERS_MAX}`);
}
