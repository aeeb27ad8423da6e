/** `/metrics`, `/livez` and `/readyz` for a service that has no HTTP of its own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Fault } from "@culprit/model";
import { HEALTHY, type Health, type Metrics, probeAnswer, type Service } from "@culprit/runtime";
import { urlOf } from "./service-parts.ts";

const HEADERS_TIMEOUT_MS = 5_000;
const CONNECTIONS_MAX = 64;

export interface ProbeServer extends Service {
  readonly url: string;
}

/** Starts to answer. Errors: `probe.cannot-listen` for an address that is taken or not ours. */
export async function startProbes(options: {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  health(): Health;
}): Promise<ProbeServer> {
  const { host, port } = options;
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS }, async (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const isRead = request.method === "GET" || request.method === "HEAD";
    const answer = isRead ? await probeAnswer(path, options) : undefined;
    response.setHeader("content-type", answer?.contentType ?? "text/plain; charset=utf-8");
    response.writeHead(answer?.status ?? (isRead ? 404 : 405)).end(answer?.body ?? "");
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `cannot listen on ${host}:${port} for probes; probe.port sets another port`;
      reject(new Fault("probe.cannot-listen", message, { cause, fields: { host, port } }));
    });
    server.listen(port, host, resolve);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return {
    url: urlOf({ host: address, port: bound }),
    ready: Promise.resolve(),
    health: () => HEALTHY,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
