/** One service of Culprit as a process of this test: started with a config, ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface CulpritProcess {
  readonly pid: number;
  /** What it said it listens on. */
  readonly url: string;
  /** Everything it wrote so far. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends a signal and waits for the end; answers with the exit code, or `undefined` where the signal ended it. */
  end(name: NodeJS.Signals): Promise<number | undefined>;
  readonly hasEnded: boolean;
}

/** The value of a metric without labels; not a number where it is not there. */
export async function metricOf({ url }: CulpritProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts `culprit <verb>`; resolves once it says where it listens. */
export async function startCulprit(verb: string, config: string): Promise<CulpritProcess> {
  const child = spawn(process.execPath, [MAIN, verb, "--config", config], { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = new Promise<number | undefined>((resolve) => {
    child.once("exit", (code) => {
      running.delete(child);
      resolve(code ?? undefined);
    });
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${verb} has not started within ${START_TIMEOUT_MS} ms: ${output}`));
    }, START_TIMEOUT_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
      const found = /^(?:receivers|probes|console)\s+(http:\S+)/m.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${verb} ended with ${code}: ${output}`));
    });
  });
  return {
    pid: child.pid ?? -1,
    url,
    output: () => output,
    signal: (name) => void child.kill(name),
    end(name) {
      child.kill(name);
      return ended;
    },
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
  };
}
