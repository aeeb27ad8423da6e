/** A TCP or TLS port: it bounds who may connect and how many do, and gives each connection to its protocol. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { Fault } from "@culprit/model";
import { HEALTHY } from "@culprit/runtime";
import type { Lease } from "../budget.ts";
import type { StreamListener } from "../listen-config.ts";
import { allowList, plainAddress } from "./allow-list.ts";
import type { Listener, ListenerContext } from "./context.ts";
import { certificateName } from "./peer-certificate.ts";
import { type TlsWatch, watchTls } from "./tls-files.ts";

/** A peer that is gone without a word is noticed after about this. */
const KEEP_ALIVE_MS = 60_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Read from a connection at a time. */
const CHUNK_BYTES = 256 * 1024;

export interface Connection {
  readonly socket: Socket;
  /** Who it is, for dead letters and sources. */
  readonly source: Readonly<{ transport: string; remote: string; token?: string }>;
  /** What it holds in memory. */
  readonly lease: Lease;
}

export interface StreamServerOptions {
  readonly name: string;
  readonly config: StreamListener;
  readonly context: ListenerContext;
  /** Speaks the protocol until the connection or the service ends; must not throw for anything the peer does. */
  serve(connection: Connection): Promise<void>;
}

/** Opens a port. Errors: `ingest.cannot-listen`, `ingest.certificate-unusable`. */
export async function listenStream({ name, config, context, serve }: StreamServerOptions): Promise<Listener> {
  const { counted, logger, stopping, budget } = context;
  const mayConnect = allowList(config.allow);
  const open = new Set<Promise<void>>();
  const sockets = new Set<Socket>();

  function refusalOf(remote: string): string | undefined {
    if (stopping.aborted) return "stopping";
    if (!mayConnect(remote)) return "not-allowed";
    return tls?.isExpired() === true ? "certificate-expired" : undefined;
  }

  function onConnection(socket: Socket): void {
    socket.on("error", () => {});
    const remote = plainAddress(socket.remoteAddress);
    const end = (reason: string): void => {
      counted.refused(name, reason);
      socket.destroy();
    };
    const refusal = refusalOf(remote);
    if (refusal !== undefined) {
      end(refusal);
      return;
    }
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    socket.setTimeout(config.idleTimeoutMs, () => end("idle"));
    const token = certificateName(socket);
    const source = { transport: name, remote, ...(token === undefined ? {} : { token }) };
    const served = serveOne({ socket, source, lease: budget.lease() });
    open.add(served);
    void served.finally(() => open.delete(served));
  }

  async function serveOne(connection: Connection): Promise<void> {
    const { socket, source } = connection;
    try {
      await serve(connection);
    } catch (error) {
      logger.error({ error, ...source }, "a connection failed");
    } finally {
      connection.lease.release();
      socket.destroySoon();
    }
  }

  let tls: TlsWatch | undefined;
  let server: Server | TlsServer;
  if (config.tls === undefined) {
    server = createServer({ highWaterMark: CHUNK_BYTES, allowHalfOpen: true }, onConnection);
  } else {
    const watch = await watchTls({
      name,
      files: config.tls,
      clock: context.clock,
      logger,
      stopping,
      use: (material) => secure.setSecureContext(material),
    });
    const requestCert = config.tls.clientCaPath !== undefined;
    const options = { ...watch.material, requestCert, rejectUnauthorized: requestCert };
    const secure = createTlsServer(
      { ...options, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, highWaterMark: CHUNK_BYTES, allowHalfOpen: true },
      onConnection,
    );
    secure.on("tlsClientError", () => counted.refused(name, "tls"));
    tls = watch;
    server = secure;
  }
  server.maxConnections = config.connectionsMax;
  server.on("drop", () => counted.refused(name, "too-many-connections"));
  // Connections of TLS count before their handshake too, and must not outlive the service.
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  context.metrics.observe(`ingest_${name.replaceAll("-", "_")}`, "Open connections", () => ({
    connections: open.size,
  }));
  await listening(server, { name, host: config.host, port: config.port });
  const { address, port } = server.address() as AddressInfo;
  logger.info({ listener: name, host: address, port }, "listening");

  return {
    name,
    address: { host: address, port },
    health: () => tls?.health() ?? HEALTHY,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(open);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listening(server: Server, fields: { name: string; host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: fields.host, port: fields.port }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new Fault("ingest.cannot-listen", `cannot listen on ${fields.host}:${fields.port}`, { cause, fields });
  }
}
