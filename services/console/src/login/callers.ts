/** Who asks: a person with a session, a program with a token, or nobody in particular where no login is configured. */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { Fault } from "@culprit/model";
import { AttemptLimit, type Clock } from "@culprit/runtime";
import { type ConsoleConfig, isLoopback } from "../config.ts";
import { cookieOf } from "../guard.ts";
import { isPassword, type Passwords, readPasswords } from "./password.ts";
import { readSession, SESSION_COOKIE, sessionText } from "./session.ts";

export type Caller =
  /** No login is configured: everyone is trusted to say who they are. */
  | { readonly kind: "anyone" }
  | { readonly kind: "person"; readonly name: string }
  /** A program, which may speak for others. */
  | { readonly kind: "token"; readonly name: string };

type LoginOutcome =
  | { readonly ok: true; readonly cookie: string }
  | { readonly ok: false; readonly waitSeconds: number };

interface Asking {
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  readonly address: string;
}

export interface Callers {
  /** Whether anybody has to log in. */
  readonly isGuarded: boolean;
  /** Who it is; else how long to wait before another try with a token. */
  of(asking: Asking): Caller | { readonly kind: "nobody"; readonly waitSeconds: number };
  /** Checks a name and a password. */
  logIn(name: string, password: string, address: string): Promise<LoginOutcome>;
}

const NAME_FACTOR = 10;
/** Passwords that may wait to be checked; more are told to come back. */
const CHECKS_WAITING_MAX = 50;
const BUSY_SECONDS = 5;

/**
 * The callers of a config.
 * Errors: `console.bad-passwords`; `console.no-login` where the console would be open to more than this machine.
 */
export function callersOf(config: ConsoleConfig, clock: Clock): Callers {
  const read = readPasswords(config.passwords?.reveal() ?? "");
  if (!read.ok) throw new Fault("console.bad-passwords", `console.passwords, ${read.failure.detail}`);
  const passwords = read.value;
  if (config.passwords !== undefined && passwords.size === 0) {
    throw new Fault("console.bad-passwords", "console.passwords names nobody: expected lines of culprit password");
  }
  const isGuarded = passwords.size > 0 || config.tokens.length > 0;
  if (!isGuarded && !config.openAccess && !isLoopback(config.host)) {
    const message = `${config.host} can be reached from other machines: give console.passwords or console.tokens, or set console.openAccess where something else keeps people out`;
    throw new Fault("console.no-login", message);
  }
  if (!isGuarded)
    return { isGuarded, of: () => ({ kind: "anyone" }), logIn: async () => ({ ok: false, waitSeconds: 0 }) };
  return new Guarded(config, passwords, clock);
}

class Guarded implements Callers {
  readonly isGuarded = true;
  readonly #passwords: Passwords;
  readonly #tokens: readonly { readonly name: string; readonly digest: Buffer }[];
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #sessionMs: number;
  readonly #wrong: AttemptLimit;
  /** For one name from many addresses; larger, so that nobody can easily keep another person out. */
  readonly #wrongOfName: AttemptLimit;
  #waiting = 0;
  /** Checking a password takes memory and time, so one is checked after the other. */
  #checking: Promise<unknown> = Promise.resolve();

  constructor(config: ConsoleConfig, passwords: Passwords, clock: Clock) {
    this.#passwords = passwords;
    this.#tokens = config.tokens.map(({ name, token }) => ({ name, digest: digestOf(token.reveal()) }));
    this.#key = config.sessionKey === undefined ? randomBytes(32) : Buffer.from(config.sessionKey.reveal());
    this.#clock = clock;
    this.#sessionMs = config.sessionMs;
    this.#wrong = new AttemptLimit(config.attemptsPerMinuteMax, clock);
    this.#wrongOfName = new AttemptLimit(config.attemptsPerMinuteMax * NAME_FACTOR, clock);
  }

  of({ cookie, authorization, address }: Asking): Caller | { kind: "nobody"; waitSeconds: number } {
    const name = readSession(cookieOf(cookie, SESSION_COOKIE), this.#key, this.#clock.now());
    // Whoever is no longer in the file has no session any more, whatever the cookie says.
    if (name !== undefined && this.#passwords.has(name)) return { kind: "person", name };
    const presented = /^bearer +(\S{1,1000}) *$/i.exec(authorization ?? "")?.[1];
    if (presented === undefined) return { kind: "nobody", waitSeconds: 0 };
    const waitSeconds = this.#wrong.waitSeconds(address);
    if (waitSeconds > 0) return { kind: "nobody", waitSeconds };
    const token = this.#tokenOf(presented);
    if (token !== undefined) return { kind: "token", name: token };
    this.#wrong.wrong(address);
    return { kind: "nobody", waitSeconds: 0 };
  }

  async logIn(name: string, password: string, address: string): Promise<LoginOutcome> {
    if (this.#waiting >= CHECKS_WAITING_MAX) return { ok: false, waitSeconds: BUSY_SECONDS };
    this.#waiting += 1;
    const checked = this.#checking.then(() => this.#check(name, password, address));
    this.#checking = checked.catch(() => undefined);
    return checked.finally(() => {
      this.#waiting -= 1;
    });
  }

  /** Asked in turn, so that many tries at once count like many tries. */
  async #check(name: string, password: string, address: string): Promise<LoginOutcome> {
    const waitSeconds = Math.max(this.#wrong.waitSeconds(address), this.#wrongOfName.waitSeconds(name));
    if (waitSeconds > 0) return { ok: false, waitSeconds };
    if (await isPassword(this.#passwords, name, password)) {
      return { ok: true, cookie: sessionText(name, this.#clock.now() + this.#sessionMs, this.#key) };
    }
    this.#wrong.wrong(address);
    this.#wrongOfName.wrong(name);
    return { ok: false, waitSeconds: 0 };
  }

  /** Every token is compared, whichever fits. */
  #tokenOf(presented: string): string | undefined {
    const digest = digestOf(presented);
    let found: string | undefined;
    for (const token of this.#tokens) if (timingSafeEqual(token.digest, digest)) found = token.name;
    return found;
  }
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
