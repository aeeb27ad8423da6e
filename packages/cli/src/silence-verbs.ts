/** The verbs under `culprit silence` and their options. */
import { SEVERITIES } from "@culprit/model";
import { type Command, Option } from "commander";
import { userName } from "./user-name.ts";
import type { VerbTools } from "./verb-tools.ts";

type Commands = typeof import("./commands/silence.ts");
type OptionsOf<Run extends keyof Commands, Place extends number = 0> = Parameters<Commands[Run]>[Place];

/** Adds the verbs to the program. */
export function addSilenceVerbs(program: Command, { verb, print, zoneOf }: VerbTools): void {
  const load = (): Promise<Commands> => import("./commands/silence.ts");
  const silence = program.command("silence").description("keep some incidents from paging for a while");
  const url = ["--console <url>", "where the console answers", "http://127.0.0.1:8080"] as const;
  const token = ["--token-file <file>", "holds a token of the console's"] as const;
  const who = ["--who <name>", "in whose name", userName()] as const;
  const matching = (command: Command): Command =>
    command
      .option("--scope <pattern...>", "hosts, VMs, clusters, domains, places; * stands for any text")
      .option("--playbook <pattern...>", "playbooks; * stands for any text")
      .addOption(new Option("--severity <severity...>", "severities").choices(SEVERITIES))
      .option(...url)
      .option(...token);

  matching(silence.command("add").description("add a silence, or a maintenance window with --days and --hours"))
    .requiredOption("--comment <text>", "why")
    .option("--for <duration>", "how long, such as 90m, 2h or 7d")
    .option("--from <instant>", "when it begins; now unless given")
    .option("--until <instant>", "when it ends, instead of --for")
    .option("--days <days>", "only on these days, such as sat,sun")
    .option("--hours <hours>", "only at these hours, such as 22:00-04:00")
    .option("--timezone <zone>", "zone of --days and --hours (IANA name)", zoneOf, "UTC")
    .option(...who)
    .action(verb(async (options: OptionsOf<"runSilenceAdd">) => (await load()).runSilenceAdd(options, print)));

  silence
    .command("list")
    .description("the silences that stand")
    .option("--all", "also those that have ended")
    .option("--json", "as JSON")
    .option(...url)
    .option(...token)
    .action(verb(async (options: OptionsOf<"runSilenceList">) => (await load()).runSilenceList(options, print)));

  silence
    .command("remove <id>")
    .description("end a silence before its time; the first characters of its id are enough")
    .option(...who)
    .option(...url)
    .option(...token)
    .action(
      verb(async (id: string, options: OptionsOf<"runSilenceRemove", 1>) =>
        (await load()).runSilenceRemove(id, options, print),
      ),
    );

  matching(silence.command("preview").description("what a silence would cover of what is going on")).action(
    verb(async (options: OptionsOf<"runSilencePreview">) => (await load()).runSilencePreview(options, print)),
  );
}
