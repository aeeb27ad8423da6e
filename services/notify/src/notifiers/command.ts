/**
 * A program of one's own: the notification as JSON on its standard input, never in its arguments, never through a shell.
 * Its exit code says what became of it: 0 delivered, 75 try again, 65 never, 77 a person is needed; anything else is tried
 * again.
 *
 * Source: sysexits.h (EX_TEMPFAIL 75, EX_DATAERR 65, EX_NOPERM 77).
 */
import { spawn } from "node:child_process";
import { z } from "zod";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";

const SAID_MAX_BYTES = 64 * 1024;
const DETAIL_MAX = 300;
const EX_DATAERR = 65;
const EX_NOPERM = 77;
/** Nothing of our own environment: secrets may stand there. */
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" };

export const command = notifierKind({
  kind: "command",
  isRecord: true,
  options: z.strictObject({
    /** The program's whole path. */
    program: z.string().regex(/^(?:\/|[A-Za-z]:\\).{1,1000}$/, "expected the whole path of a program"),
    args: z.array(z.string().max(1_000)).max(50).default([]),
  }),
  open: ({ program, args }) => ({
    send: (notification, signal) => run({ program, args, input: JSON.stringify(inputOf(notification)) }, signal),
  }),
});

function inputOf({ action, reason, key, page, incident, test }: Notification): unknown {
  const link = page.link === undefined ? {} : { link: page.link };
  return { action, reason, key, test, ...link, text: renderContent(page, { width: 80 }), incident };
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
}

function run({ program, args, input }: Run, signal: AbortSignal): Promise<SendResult> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      env: ENVIRONMENT,
      stdio: ["pipe", "ignore", "pipe"],
      signal,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (said.length < SAID_MAX_BYTES) said += chunk.toString("utf8");
    });
    // A program that does not read its input is free not to.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.name === "AbortError") resolve({ result: "later", detail: "it took too long", uncertain: true });
      else resolve({ result: "auth", detail: `${program} cannot be run: ${error.code ?? error.message}` });
    });
    child.once("close", (code) => resolve(resultOfExit(code, said)));
  });
}

function resultOfExit(code: number | null, said: string): SendResult {
  if (code === 0) return { result: "ok", certainty: "delivered" };
  const detail = `exit ${code ?? "by a signal"}: ${said.trim().slice(0, DETAIL_MAX)}`;
  if (code === EX_DATAERR) return { result: "never", detail };
  if (code === EX_NOPERM) return { result: "auth", detail };
  return { result: "later", detail, uncertain: true };
}
