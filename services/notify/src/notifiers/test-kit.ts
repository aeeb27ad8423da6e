/** For tests of one notifier: opens it by its own option schema and sends to it as the engine would, keeping remote ids. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { DeliveryAction, Incident } from "@culprit/model";
import { addressGuard, addressOf } from "../address-guard.ts";
import { fixture } from "../fixtures.ts";
import { httpPost, resultOfFault } from "../http.ts";
import type { Notifier, NotifierKind, SendResult } from "../notifier.ts";
import { composePage } from "../page-content.ts";
import { T0 } from "../test-kit.ts";

const CONSOLE = "https://culprit.example";
const PATIENCE_MS = 5_000;

export interface Sent {
  readonly incident?: Incident;
  readonly reason?: string;
  readonly test?: boolean;
}

export class Driver {
  readonly #notifier: Notifier;
  /** What the notifier has asked to be kept. */
  remote: Readonly<Record<string, string>> = {};

  constructor(kind: NotifierKind, options: Record<string, unknown>) {
    const guard = addressGuard({ allow: ["127.0.0.1"] });
    this.#notifier = kind.open(kind.options.parse(options), {
      post: httpPost(guard),
      addressOf: (host) => addressOf(guard, host),
      guard,
      write: async () => undefined,
      interactive: new Set(),
      now: () => T0,
    });
  }

  async close(): Promise<void> {
    await this.#notifier.close?.();
  }

  /** Whether the target says that the page is open there. */
  async isOpen(key: string = fixture("cluster-hang-9e").id): Promise<boolean | undefined> {
    return this.#notifier.isOpen?.({ key, remote: this.remote }, AbortSignal.timeout(PATIENCE_MS));
  }

  async send(action: DeliveryAction, of: Sent = {}, patienceMs = PATIENCE_MS): Promise<SendResult> {
    const base = of.incident ?? fixture("cluster-hang-9e");
    const incident: Incident = action === "resolve" ? { ...base, status: "closed" } : base;
    const page = composePage(incident, { timeZone: "UTC", now: new Date(T0).toISOString(), consoleUrl: CONSOLE });
    const result = await this.#notifier
      .send(
        {
          key: incident.id,
          action,
          reason: of.reason ?? (action === "trigger" ? "first" : action === "resolve" ? "ended" : "severity-changed"),
          incident,
          page,
          remote: this.remote,
          at: T0,
          since: T0,
          test: of.test ?? false,
        },
        AbortSignal.timeout(patienceMs),
      )
      .catch(resultOfFault);
    if (result.result === "ok") this.remote = { ...this.remote, ...result.remote };
    return result;
  }
}

/** A page, a change and its end, one after the other. */
export async function wholeStory(driver: Driver): Promise<readonly SendResult["result"][]> {
  const results: SendResult["result"][] = [];
  for (const action of ["trigger", "update", "resolve"] as const) results.push((await driver.send(action)).result);
  return results;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A certificate of our own for this machine alone. */
export const LOCALHOST = {
  cert: readFileSync(new URL("../../fixtures/localhost.cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../../fixtures/localhost.key.pem", import.meta.url), "utf8"),
} as const;

/** A peer that speaks no HTTP: keeps what each connection said, and answers when asked to. */
export class FakePeer {
  readonly said: Buffer[] = [];
  readonly #server: Server;

  constructor(options: { readonly tls: boolean; readonly answer?: (said: Buffer) => Buffer | undefined }) {
    const talk = (socket: Socket): void => {
      let said = Buffer.alloc(0);
      socket.on("error", () => undefined);
      socket.on("data", (chunk: Buffer) => {
        said = Buffer.concat([said, chunk]);
        const answer = options.answer?.(said);
        if (answer === undefined) return;
        this.said.push(said);
        socket.end(answer);
      });
      socket.on("end", () => {
        if (options.answer === undefined) this.said.push(said);
        socket.end();
      });
    };
    this.#server = options.tls ? createTlsServer(LOCALHOST, talk) : createServer(talk);
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
