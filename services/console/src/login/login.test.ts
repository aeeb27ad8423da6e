import { scryptSync } from "node:crypto";
import { Action, MINUTE_MS, Silence } from "@culprit/model";
import { describe, expect, test } from "vitest";
import { ConsoleConfig } from "../config.ts";
import { fixture, NOW, Running } from "../test-kit.ts";
import { isPassword, passwordLine, readPasswords } from "./password.ts";
import { readSession, sessionText } from "./session.ts";

const crash = fixture("cluster-hang-9e");
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const TOKEN = "token-of-the-siem-1";

/** As `culprit password` makes it, but quick to check. */
function quickLine(name: string, password: string): string {
  const salt = Buffer.alloc(16, name);
  const hash = scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1 });
  return `${name}:scrypt$14$8$1$${salt.toString("base64")}$${hash.toString("base64")}`;
}
const passwords = [quickLine("ada", "correct horse"), quickLine("bob", "battery staple")].join("\n");
const open = (config: Record<string, unknown> = {}): Promise<Running> =>
  Running.open([crash], { passwords, tokens: [{ name: "siem", token: TOKEN }], ...config });

/** A browser at the login: keeps its cookies and the token of the form it saw last. */
class Browser {
  readonly #running: Running;
  readonly #cookies = new Map<string, string>();
  #token = "";

  constructor(running: Running) {
    this.#running = running;
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async see(path: string): Promise<{ status: number; body: string; location: unknown }> {
    const { status, body, headers } = await this.#running.ask(path, { headers: { cookie: this.cookie } });
    this.#keep(headers["set-cookie"]);
    this.#token = /name="token" value="([^"]+)"/.exec(body)?.[1] ?? this.#token;
    return { status, body, location: headers["location"] };
  }

  async send(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams({ token: this.#token, ...fields }).toString();
    const options = { method: "POST", headers: { ...FORM, cookie: this.cookie, ...headers }, body };
    const answer = await this.#running.ask(path, options);
    this.#keep(answer.headers["set-cookie"]);
    return answer;
  }

  async logIn(name: string, password: string, next = "/") {
    await this.see(`/login?next=${encodeURIComponent(next)}`);
    return this.send("/login", { name, password, next });
  }

  #keep(set: unknown): void {
    for (const cookie of [set].flat()) {
      const [name = "", value = ""] =
        String(cookie ?? "")
          .split(";")[0]
          ?.split("=") ?? [];
      if (name !== "") this.#cookies.set(name, value);
    }
  }
}

describe("a console with a login", () => {
  test("shows nothing to who has none: pages lead to the login, calls are refused, probes answer", async () => {
    await using running = await open();
    const page = await running.ask(`/incidents/${crash.id}`);
    expect([page.status, page.headers["location"]]).toEqual([303, `/login?next=%2Fincidents%2F${crash.id}`]);
    for (const path of ["/api/v1/incidents", "/api/v1/stream", "/api/v1/sources", "/api/openapi.json", "/api/x"]) {
      const answer = await running.ask(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.body).not.toContain("HV11");
    }
    const act = { method: "POST", headers: FORM, body: "kind=resolve" };
    expect((await running.ask(`/incidents/${crash.id}/actions`, act)).status).toBe(401);
    for (const path of ["/livez", "/readyz", "/metrics", "/login", "/assets/base.css"]) {
      expect((await running.ask(path)).status).toBe(200);
    }
    for (const path of ["/login/../", "/loginx", "/assets/../api/v1/incidents", "/livez/x"]) {
      expect((await running.ask(path)).status).not.toBe(200);
    }
  });

  test("lets a person in with name and password, in whose name everything is then done", async () => {
    await using running = await open();
    const browser = new Browser(running);
    const done = await browser.logIn("ada", "correct horse", `/incidents/${crash.id}`);
    expect([done.status, done.headers["location"]]).toEqual([303, `/incidents/${crash.id}`]);
    expect(String(done.headers["set-cookie"])).toMatch(/^culprit-session=.*; HttpOnly; SameSite=Lax; Max-Age=43200$/);
    const page = await browser.see(`/incidents/${crash.id}`);
    expect(page.body).toContain("Log out");
    expect(page.body).not.toContain("Your name");
    await browser.send(`/incidents/${crash.id}/actions`, { kind: "acknowledge", hours: "1", who: "eve" });
    const read = async (): Promise<Action[]> =>
      JSON.parse(
        (await running.ask(`/api/v1/incidents/${crash.id}/actions`, { headers: { cookie: browser.cookie } })).body,
      ).actions;
    await expect.poll(read).toMatchObject([
      {
        kind: "acknowledge",
        who: "ada",
        until: NOW + 60 * MINUTE_MS,
        from: { via: "console", address: "127.0.0.1" },
      },
    ]);
  });

  test("goes nowhere else after the login, whatever the address says", async () => {
    await using running = await open();
    for (const next of ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/\tx", "/\u0000"]) {
      const done = await new Browser(running).logIn("ada", "correct horse", next);
      expect([next, done.headers["location"]]).toEqual([next, "/"]);
    }
  });

  test("ends a session when it is logged out of, runs out, or its person is no longer in the file", async () => {
    await using running = await open({ sessionMs: 10 * MINUTE_MS });
    const browser = new Browser(running);
    await browser.logIn("ada", "correct horse");
    expect((await browser.see("/")).status).toBe(200);
    await browser.send("/logout", {});
    expect((await browser.see("/")).status).toBe(303);
    await browser.logIn("ada", "correct horse");
    expect((await browser.see("/")).status).toBe(200);
    await running.clock.advance(10 * MINUTE_MS);
    expect((await browser.see("/")).status).toBe(303);
    const key = "k".repeat(32);
    await using other = await open({ sessionKey: key });
    const session = (name: string): string => sessionText(name, NOW + MINUTE_MS, Buffer.from(key));
    const see = (name: string) => other.ask("/", { headers: { cookie: `culprit-session=${session(name)}` } });
    expect((await see("ada")).status).toBe(200);
    expect((await see("mallory")).status).toBe(303);
  });

  test("tells a wrong name and a wrong password alike, and after some tries makes the address wait", async () => {
    await using running = await open({ attemptsPerMinuteMax: 3 });
    const browser = new Browser(running);
    const wrong = [await browser.logIn("ada", "wrong"), await browser.logIn("ada\u202e<b>", "wrong")];
    const texts = wrong.map(({ body }) => /role="alert">([^<]+)</.exec(body)?.[1]);
    expect([wrong[0]?.status, ...texts]).toEqual([401, "Name or password is wrong.", "Name or password is wrong."]);
    await browser.logIn("bob", "wrong");
    const refused = await browser.logIn("ada", "correct horse");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
    await running.clock.advance(MINUTE_MS);
    expect((await browser.logIn("ada", "correct horse")).status).toBe(303);
  });

  test("takes no login from another site's form", async () => {
    await using running = await open();
    const browser = new Browser(running);
    await browser.see("/login");
    const fields = { name: "ada", password: "correct horse" };
    expect((await browser.send("/login", fields, { origin: "https://evil.example" })).status).toBe(403);
    expect((await browser.send("/login", { ...fields, token: "x" })).status).toBe(403);
    expect((await browser.see("/")).status).toBe(303);
  });

  test("takes a program's token, which may speak for others and is noted", async () => {
    await using running = await open();
    const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
    const path = `/api/v1/incidents/${crash.id}/actions`;
    const post = async (body: unknown): Promise<unknown> =>
      JSON.parse((await running.ask(path, { method: "POST", headers, body: JSON.stringify(body) })).body);
    const from = { via: "api", detail: "token siem" };
    expect(Action.parse(await post({ kind: "note", note: "seen", who: "carol" }))).toMatchObject({
      who: "carol",
      from,
    });
    expect(Action.parse(await post({ kind: "resolve" }))).toMatchObject({ who: "siem", from });
    const silence = { match: { scope: ["hv11"] }, forMs: MINUTE_MS, comment: "work" };
    const made = await running.ask("/api/v1/silences", { method: "POST", headers, body: JSON.stringify(silence) });
    expect(Silence.shape.origin.parse(JSON.parse(made.body).origin)).toMatchObject(from);
  });

  test("wrong tokens make their address wait; a session still works there", async () => {
    await using running = await open({ attemptsPerMinuteMax: 2 });
    const ask = (token: string) => running.ask("/api/v1/incidents", { headers: { authorization: `Bearer ${token}` } });
    expect([(await ask("wrong")).status, (await ask("wrong")).status, (await ask(TOKEN)).status]).toEqual([
      401, 401, 429,
    ]);
    await running.clock.advance(MINUTE_MS);
    expect((await ask(TOKEN)).status).toBe(200);
  });

  test("behind a trusted proxy with TLS the session is for TLS alone", async () => {
    await using running = await open({ trustedProxies: ["127.0.0.1"] });
    const browser = new Browser(running);
    await browser.see("/login");
    const fields = { name: "ada", password: "correct horse" };
    const done = await browser.send("/login", fields, { "x-forwarded-proto": "https" });
    expect(String(done.headers["set-cookie"])).toMatch(/; Secure$/);
  });
});

describe("a console without a login", () => {
  test("does not start where other machines reach it, unless told that something else keeps them out", async () => {
    await expect(Running.open([], { host: "0.0.0.0" })).rejects.toMatchObject({ code: "console.no-login" });
    await using running = await Running.open([], { host: "0.0.0.0", openAccess: true });
    expect((await running.ask("/login")).status).toBe(303);
  });

  test("a broken file of passwords is no open door", async () => {
    for (const text of ["ada:secret", "ada:scrypt$1$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAA", `${passwords}\n${passwords}`]) {
      await expect(Running.open([], { passwords: text })).rejects.toMatchObject({ code: "console.bad-passwords" });
    }
    expect(ConsoleConfig.safeParse({ passwords: "" }).success).toBe(false);
    await expect(Running.open([], { passwords: "# nobody\n" })).rejects.toMatchObject({
      code: "console.bad-passwords",
    });
  });
});

test("a line of the password file opens with its password only, however the letters are composed", async () => {
  const line = await passwordLine("ada", "caf\u00e9 au lait");
  const read = readPasswords(line.ok ? `# people\n\n${line.value}\r\n` : "");
  if (!read.ok) throw new Error(read.failure.detail);
  expect(await isPassword(read.value, "ada", "cafe\u0301 au lait")).toBe(true);
  expect(await isPassword(read.value, "ada", "cafe au lait")).toBe(false);
  expect(await isPassword(read.value, "eve", "caf\u00e9 au lait")).toBe(false);
  expect(await passwordLine("a:b", "long enough it is")).toMatchObject({ failure: { reason: "password.bad-name" } });
  expect(await passwordLine("ada", "short")).toMatchObject({ failure: { reason: "password.too-short" } });
});

test("a session is good as it was signed and not otherwise", () => {
  const key = Buffer.alloc(32, 1);
  const text = sessionText("ada", NOW + 1, key);
  expect(readSession(text, key, NOW)).toBe("ada");
  expect(readSession(text, Buffer.alloc(32, 2), NOW)).toBeUndefined();
  for (const bad of [undefined, "", ".", "..", `${text}.`, `${text}x`, text.replace(/^./, "Z"), text.slice(1)]) {
    expect(readSession(bad, key, NOW)).toBeUndefined();
  }
});
