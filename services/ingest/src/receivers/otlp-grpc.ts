/**
 * OpenTelemetry logs over gRPC: `LogsService/Export`. Credentials are those of HTTP, in the metadata.
 *
 * Senders repeat UNAVAILABLE; a message above the limit is RESOURCE_EXHAUSTED. Source: FORMATS.md section 8; opentelemetry-proto,
 * docs/specification.md, section "OTLP/gRPC".
 */

import { Fault } from "@culprit/model";
import { HEALTHY } from "@culprit/runtime";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { type HttpRequest, REFUSALS, type RefusalReason } from "../http/answer.ts";
import { isPassing } from "../intake.ts";
import type { TlsFiles } from "../listen-config.ts";
import { isTooManyRecords } from "../record-limit.ts";
import { plainAddress } from "../streams/allow-list.ts";
import type { Listener, ListenerContext } from "../streams/context.ts";
import { nameInCertificate } from "../streams/peer-certificate.ts";
import { type TlsMaterial, type TlsWatch, watchTls } from "../streams/tls-files.ts";
import { readLogs, takeLogs } from "./otlp.ts";
import { protobufResponse } from "./otlp-protobuf.ts";

const NAME = "otlp-grpc";
const EXPORT_PATH = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
/** Calls at a time on one connection; a collector has a handful. */
const CALLS_PER_CONNECTION = 32;
/** Calls in work have so long to end when the service stops. */
const LAST_CALLS_MS = 5_000;

type Call = ServerUnaryCall<Uint8Array, Uint8Array>;

/** Opens the gRPC port, if it is configured. */
export function otlpGrpcListeners(context: ListenerContext): readonly Promise<Listener>[] {
  return context.config.otlp?.grpc === undefined ? [] : [listen(context, context.config.otlp.grpc)];
}

interface GrpcConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsFiles;
  readonly messageMaxBytes: number;
}

async function listen(context: ListenerContext, config: GrpcConfig): Promise<Listener> {
  const tls = config.tls === undefined ? undefined : await secured(config.tls, context);
  const server = new Server({
    "grpc.max_receive_message_length": config.messageMaxBytes,
    "grpc.max_concurrent_streams": CALLS_PER_CONNECTION,
  });
  const method = {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: Uint8Array) => Buffer.from(message),
    requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
    responseSerialize: (message: Uint8Array) => Buffer.from(message),
    responseDeserialize: (bytes: Buffer): Uint8Array => bytes,
  } as const;
  server.addService(
    { Export: method },
    {
      Export(call: Call, answer: sendUnaryData<Uint8Array>) {
        exportLogs(call, context, tls?.watch).then(
          (response) => answer(null, response),
          (error: unknown) => answer(statusOf(error, context)),
        );
      },
    },
  );
  const place = `${config.host.includes(":") ? `[${config.host}]` : config.host}:${config.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(place, tls?.credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  }).catch((cause: unknown) => {
    const fields = { name: NAME, host: config.host, port: config.port };
    throw new Fault("ingest.cannot-listen", `cannot listen on ${place}`, { cause, fields });
  });
  context.logger.info({ listener: NAME, host: config.host, port }, "listening");
  return {
    name: NAME,
    address: { host: config.host, port },
    health: () => tls?.watch.health() ?? HEALTHY,
    async stop() {
      const over = new AbortController();
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([closed, context.clock.sleep(LAST_CALLS_MS, over.signal)]);
      over.abort();
      server.forceShutdown();
    },
  };
}

/** A refusal, thrown within this file to end a call. */
class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

async function exportLogs(call: Call, context: ListenerContext, tls: TlsWatch | undefined): Promise<Uint8Array> {
  const { intake, counted, config, budget, quotas, stopping } = context;
  const remote = remoteOf(call.getPeer());
  const no = (code: number, reason: RefusalReason): never => {
    counted.refused(NAME, reason);
    throw new Refused(code, REFUSALS[reason].text);
  };
  if (stopping.aborted) no(status.UNAVAILABLE, "stopping");
  if (tls?.isExpired() === true) no(status.UNAVAILABLE, "expired-certificate");
  const certificate = certificateOf(call, context);
  const token = tokenOf(call, { remote, certificate }, context, no) ?? certificate;
  const sender = token === undefined ? { remote } : { remote, token };
  if (quotas.waitMs(sender) > 0) no(status.UNAVAILABLE, "over-quota");
  quotas.charge(sender, { bytes: call.request.length });
  const lease = budget.lease();
  if (!lease.grow(call.request.length)) no(status.UNAVAILABLE, "busy");
  try {
    const agent = call.metadata.get("user-agent").map(String)[0];
    const source = {
      transport: NAME,
      ...sender,
      ...(agent === undefined ? {} : { agent }),
    };
    const from = { receiver: "otlp", source };
    counted.bodyBytes("otlp", call.request.length);
    const read = await readLogs(call.request, { encoding: "protobuf", ...config });
    if ("failure" in read) {
      await intake.setAside(call.request, from, read.failure);
      throw new Refused(status.INVALID_ARGUMENT, read.failure.detail);
    }
    return protobufResponse(await takeLogs(read, from, intake));
  } finally {
    lease.release();
  }
}

function tokenOf(
  call: Call,
  { remote, certificate }: Pick<HttpRequest, "remote" | "certificate">,
  { check, attempts, audited, logger }: ListenerContext,
  no: (code: number, reason: RefusalReason) => never,
): string | undefined {
  if (attempts.waitSeconds(remote) > 0) return no(status.RESOURCE_EXHAUSTED, "too-many-attempts");
  const [authorization] = call.metadata.get("authorization").map(String);
  const verdict = check({
    method: "POST",
    path: EXPORT_PATH,
    params: {},
    query: new URLSearchParams(),
    headers: authorization === undefined ? {} : { authorization },
    remote,
    certificate,
    token: undefined,
  });
  if (verdict.ok) return verdict.token?.name;
  if (verdict.reason === "wrong-token") attempts.wrong(remote);
  if (audited.waitSeconds(remote) === 0) {
    audited.wrong(remote);
    logger.warn({ remote, receiver: NAME, reason: verdict.reason }, "credentials refused");
  }
  const isUnknown = REFUSALS[verdict.reason].status === 401;
  return no(isUnknown ? status.UNAUTHENTICATED : status.PERMISSION_DENIED, verdict.reason);
}

function statusOf(error: unknown, { logger, counted }: ListenerContext): { code: number; details: string } {
  if (error instanceof Refused) return { code: error.code, details: error.message };
  if (isTooManyRecords(error)) {
    counted.refused(NAME, "too-many-records");
    return { code: status.RESOURCE_EXHAUSTED, details: error.message };
  }
  if (isPassing(error))
    logger.warn({ error, receiver: NAME }, "records could not be stored; the sender is told to come back");
  else logger.error({ error, receiver: NAME }, "a request failed");
  counted.refused(NAME, "unavailable");
  return { code: status.UNAVAILABLE, details: REFUSALS.unavailable.text };
}

/** The name in the sender's certificate, where one is asked for: without one that was checked there is no connection. */
function certificateOf(call: Call, { config }: ListenerContext): string | undefined {
  if (config.otlp?.grpc?.tls?.clientCaPath === undefined) return undefined;
  return nameInCertificate(call.getAuthContext()?.sslPeerCertificate ?? {});
}

/** `127.0.0.1:50000`, `[::1]:50000`. */
function remoteOf(peer: string): string {
  const address = peer.slice(0, peer.lastIndexOf(":"));
  return plainAddress(address.replace(/^\[|\]$/g, ""));
}

/** Credentials whose certificate may change while connections are open. */
class ChangingCredentials extends ServerCredentials {
  constructor(material: TlsMaterial, requestCert: boolean) {
    super({ requestCert, rejectUnauthorized: requestCert }, material);
  }

  use(material: TlsMaterial): void {
    this.updateSecureContextOptions(material);
  }

  _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

async function secured(
  files: TlsFiles,
  { clock, logger, stopping }: ListenerContext,
): Promise<{ readonly credentials: ServerCredentials; readonly watch: TlsWatch }> {
  const options = { name: NAME, files, clock, logger, stopping };
  const watch = await watchTls({ ...options, use: (material) => credentials.use(material) });
  const credentials = new ChangingCredentials(watch.material, files.clientCaPath !== undefined);
  return { credentials, watch };
}
