/** The verbs of the contract, their options, and what becomes of errors. */
import { Fault, isoOf, SEVERITIES } from "@culprit/model";
import { systemClock } from "@culprit/runtime";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { DateTime, IANAZone } from "luxon";
import type { AnalyzeOptions } from "./commands/analyze.ts";
import type { DecodeOptions } from "./commands/decode.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import type { MatchOptions } from "./commands/match.ts";
import type { PreviewOptions } from "./commands/preview.ts";
import type { RoutesTestOptions } from "./commands/routes.ts";
import { SELECTION_FORMATS, type SelectionFormat } from "./commands/selection.ts";
import type { SendTestOptions } from "./commands/send-test.ts";
import type { ServiceOptions } from "./commands/services.ts";
import type { UpOptions } from "./commands/up.ts";
import { EXIT } from "./exit-code.ts";
import { addPeopleVerbs } from "./people-verbs.ts";
import { addReplayVerbs } from "./replay-verbs.ts";
import { SERVICE_VERBS } from "./service-verbs.ts";
import { addSilenceVerbs } from "./silence-verbs.ts";

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const warn = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Runs the command line. Returns the exit code; never throws for what a person can have done wrong. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const verb =
    <A extends unknown[]>(run: (...args: A) => Promise<number>) =>
    async (...args: A) => {
      exitCode = await run(...args);
    };
  const program = new Command("culprit")
    .description("Pages once per incident from forwarded Windows event logs, with ranked causes and their evidence.")
    .exitOverride();
  // Each verb loads what it needs when it is asked for, so that `decode` starts without servers and notifiers.
  const zone = ["--timezone <zone>", "zone of stamps without one, and of the page (IANA name)", zoneOf, "UTC"] as const;

  program
    .command("analyze [paths...]")
    .description("files, folders or - in; incidents out")
    .option("--json", "one incident a line: the last revision of each, oldest first")
    .option("--md", "Markdown")
    .option("--html <file>", "write a page of all incidents")
    .option("--follow", "go on with what is added to the files and folders, until stopped")
    .option("--all", "also what is attached to another incident or for the record only")
    .option("--topology <file>", "facts about clusters, hosts, guests, protection servers")
    .option("--playbooks <dir>", "a folder with detections/ and playbooks/ of your own, beside ours")
    .option("--since <instant>", "leave out earlier events", instantOf)
    .option("--until <instant>", "leave out later events", instantOf)
    .option(...zone)
    .action(
      verb(async (paths: string[], { follow, ...options }: AnalyzeOptions & { follow?: boolean }) => {
        const inputs = paths.length === 0 ? ["-"] : paths;
        if (follow !== true) return (await import("./commands/analyze.ts")).runAnalyze(inputs, options, print, warn);
        return (await import("./commands/follow.ts")).runFollow(inputs, options, { ...untilStopped(), print, warn });
      }),
    );

  program
    .command("decode [paths...]")
    .description("any input format to normalised events, one JSON a line")
    .option("--count", "a table by provider and event id instead")
    .option(...zone)
    .action(
      verb(async (paths: string[], options: DecodeOptions) =>
        (await import("./commands/decode.ts")).runDecode(paths.length === 0 ? ["-"] : paths, options, print, warn),
      ),
    );

  program
    .command("up")
    .description("everything in one process: receivers, correlation, notifiers, console")
    .option("--config <file>", "configuration; culprit.yaml in this folder where there is one")
    .option("--data <dir>", "where the log is kept", ".data")
    .option("--demo", "send a short outage through the receiver and show the page it makes")
    .option("--no-demo", "wait for real events")
    .action(verb(async (options: UpOptions) => (await import("./commands/up.ts")).runUp(options, print)));

  for (const name of SERVICE_VERBS) {
    program
      .command(name)
      .description(`the ${name} service alone, on Kafka`)
      .option("--config <file>", "configuration; culprit.yaml in this folder where there is one")
      .action(
        verb(async (options: ServiceOptions) =>
          (await import("./commands/services.ts")).runServiceVerb(name, options, print),
        ),
      );
  }

  program
    .command("demo")
    .description("send the demo outage to a running receiver")
    .option("--url <url>", "where it listens", "http://127.0.0.1:8088")
    .action(
      verb(async ({ url }: { url: string }) => {
        await (await import("./demo.ts")).playDemo(url, { now: Date.now(), tell: print });
        return EXIT.done;
      }),
    );

  program
    .command("test [dir]")
    .description("play the timelines beside the playbooks")
    .action(verb(async (dir: string | undefined) => (await import("./commands/test.ts")).runTest(dir, print)));

  program
    .command("check [path]")
    .description("a config and all it names, or a knowledge folder: every error with file, line and likely fix")
    .action(verb(async (path: string | undefined) => (await import("./commands/check.ts")).runCheck(path, print)));

  program
    .command("doctor")
    .description("what has to be right before a page can come, step by step, and what to do where it is not")
    .option("--config <file>", "configuration; culprit.yaml in this folder where there is one")
    .option("--data <dir>", "where culprit up keeps its log", ".data")
    .action(verb(async (options: DoctorOptions) => (await import("./commands/doctor.ts")).runDoctor(options, print)));

  program
    .command("match [paths...]")
    .description("try Sigma rules and correlations on a file, one JSON a line for each match")
    .requiredOption("--rules <path>", "a rule file or a folder of them; may be given again", oneMore)
    .option("--flat", "the input's top-level keys are the fields, @timestamp the time")
    .option("--no-routing", "ignore the rules' logsource")
    .option("--placeholders <file>", "values for expand: a map of names to values")
    .option(...zone)
    .action(
      verb(async (paths: string[], options: MatchOptions) =>
        (await import("./commands/match.ts")).runMatch(paths.length === 0 ? ["-"] : paths, options, print, warn),
      ),
    );

  program
    .command("explain [incidentOrPath...]")
    .description("how the score of an incident came about: INCIDENT [FILES], or --why-not PLAYBOOK FILES")
    .option("--why-not <playbook>", "which part of its condition kept a playbook from opening")
    .option("--topology <file>", "facts about clusters, hosts, guests, protection servers")
    .option("--console <url>", "where a running Culprit is asked when no files are named", "http://127.0.0.1:8080")
    .option("--token-file <file>", "holds a token of the console's")
    .option(...zone)
    .action(
      verb(async (args: string[], options: ExplainOptions) =>
        (await import("./commands/explain.ts")).runExplain(args, options, print, warn),
      ),
    );

  program
    .command("selection")
    .description("the filter a forwarder may apply at the source, from the loaded playbooks")
    .addOption(new Option("--format <format>").choices(SELECTION_FORMATS).default("winlogbeat"))
    .action(
      verb(async (options: { format: SelectionFormat }) =>
        (await import("./commands/selection.ts")).runSelection(options.format, print),
      ),
    );

  program
    .command("token <name>")
    .description("make a token for a sender, and the line of the config that knows its hash")
    .action(verb(async (name: string) => (await import("./commands/token.ts")).runToken(name, print)));

  const config = ["--config <file>", "configuration; culprit.yaml in this folder where there is one"] as const;
  program
    .command("send-test <notifier>")
    .description("open a page that says it is a drill at one target, and close it again")
    .option(...config)
    .action(
      verb(async (target: string, options: SendTestOptions) =>
        (await import("./commands/send-test.ts")).runSendTest(target, options, print),
      ),
    );

  program
    .command("routes")
    .description("try the routes of the config")
    .command("test [incident]")
    .description("which targets would be told of an incident (a file, or as described), and why the others would not")
    .option(...config)
    .option("--playbook <id>", "describe an incident: its playbook")
    .addOption(new Option("--severity <severity>", "its severity; critical unless given").choices(SEVERITIES))
    .option("--host <name>", "the host it is about")
    .option("--at <instant>", "answer for this instant instead of now", instantOf)
    .option("--console <url>", "a console whose silences count as well")
    .option("--token-file <file>", "holds a token of the console's")
    .option("--json", "as JSON")
    .action(
      verb(async (file: string | undefined, options: RoutesTestOptions) =>
        (await import("./commands/routes.ts")).runRoutesTest(file, options, print),
      ),
    );

  program
    .command("preview <incident>")
    .description(
      "the page that a target would get of an incident (a file, or an id that a console knows); sends nothing",
    )
    .option(...config)
    .option("--target <name>", "in the words of this target's template")
    .addOption(new Option("--format <format>").choices(["text", "short", "markdown", "html"]).default("text"))
    .option("--console <url>", "where a running Culprit is asked", "http://127.0.0.1:8080")
    .option("--token-file <file>", "holds a token of the console's")
    .action(
      verb(async (incident: string, options: PreviewOptions) =>
        (await import("./commands/preview.ts")).runPreview(incident, options, print),
      ),
    );

  const tools = { verb, print, zoneOf, instantOf };
  addPeopleVerbs(program, tools);
  addSilenceVerbs(program, tools);
  addReplayVerbs(program, tools);

  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof Fault) {
      warn(error.message);
      return EXIT.usage;
    }
    throw error;
  }
}

function zoneOf(text: string): string {
  if (IANAZone.isValidZone(text)) return text;
  throw new InvalidArgumentError("an IANA zone such as Europe/Oslo");
}

function instantOf(text: string): number {
  const at = DateTime.fromISO(text, { zone: "utc" });
  if (at.isValid) return at.toMillis();
  throw new InvalidArgumentError(`an instant such as ${isoOf(0)}`);
}

/** The machine's clock, and a signal that SIGINT and SIGTERM give; a second one ends the process at once. */
function untilStopped(): { readonly clock: typeof systemClock; readonly stopping: AbortSignal } {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return { clock: systemClock, stopping: stop.signal };
}

/** For options that may be given again, each with one value, so that the paths after them stay paths. */
function oneMore(text: string, held: readonly string[] = []): readonly string[] {
  return [...held, text];
}
