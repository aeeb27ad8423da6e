/**
 * One conversation over TCP, with TLS or without, for what does not speak HTTP: connect to a checked address, say something,
 * read the answer up to a limit where there is one.
 */
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Fault } from "@culprit/model";

const ANSWER_MAX_BYTES = 64 * 1024;
/** How long a peer that says nothing may take to close its side once everything is said. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface TcpTalk {
  /** The name of the peer, for its certificate. */
  readonly host: string;
  /** The address that was checked. */
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: readonly string[] | undefined;
  readonly payload: Uint8Array;
  /** Whether to wait for an answer; else it is enough that everything is sent. */
  readonly answers: boolean;
}

/**
 * Holds the conversation.
 * Shape: the answer, at most 64 KiB; empty where none is waited for.
 * Errors: `notify.unreachable` (retriable; the field `sent` is 1 when what was said may have arrived).
 */
export function tcpTalk(talk: TcpTalk, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let connected = false;
    const socket = open(talk);
    const fail = (cause: unknown): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      const why = cause instanceof Error ? cause.message : String(cause);
      const fields = { host: talk.host, sent: connected ? 1 : 0 };
      reject(new Fault("notify.unreachable", `${talk.host}: ${why}`, { retriable: true, cause, fields }));
    };
    const finish = (): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(Buffer.concat(chunks).subarray(0, ANSWER_MAX_BYTES));
    };
    const abort = (): void => fail(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once(talk.tls ? "secureConnect" : "connect", () => {
      connected = true;
      if (talk.answers) {
        socket.write(talk.payload);
        return;
      }
      socket.once("finish", () => socket.setTimeout(CLOSE_TIMEOUT_MS, finish));
      socket.end(talk.payload);
    });
    socket.on("data", (chunk: Buffer) => {
      if (talk.answers) chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_MAX_BYTES) finish();
    });
    socket.once("error", fail);
    socket.once("close", () => (connected ? finish() : fail("closed before anything was said")));
  });
}

function open({ host, address, port, tls, ca }: TcpTalk): Socket {
  if (!tls) return connectPlain({ host: address, port });
  // A certificate may be for an address; it then has no name to ask for.
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host: address, port, ...name, ...(ca === undefined ? {} : { ca: [...ca] }) });
}
