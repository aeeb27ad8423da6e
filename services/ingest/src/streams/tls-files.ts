/**
 * Certificates from files: read again when they change, while connections that are open go on with the old one (F46).
 * A pair that cannot be used is refused and the one in use kept. Told 14 days before the end; after it nobody is served.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { Fault } from "@culprit/model";
import { type Clock, HEALTHY, type Health, type Logger, repeat } from "@culprit/runtime";
import type { TlsFiles } from "../listen-config.ts";

const CHECK_EVERY_MS = 10_000;
const WARN_BEFORE_MS = 14 * 86_400_000;
const DAY_MS = 86_400_000;

export interface TlsMaterial extends SecureContextOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: "TLSv1.2";
}

export interface TlsWatch {
  readonly material: TlsMaterial;
  isExpired(): boolean;
  health(): Health;
  /** Looks for changed files now. */
  check(): Promise<void>;
}

export interface TlsWatchOptions {
  readonly name: string;
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Told of each new pair. */
  use(material: TlsMaterial): void;
}

interface Loaded {
  readonly material: TlsMaterial;
  readonly expiresAt: number;
}

/** Reads the files and watches them. Errors: `ingest.certificate-unusable` for what cannot be used at the start. */
export async function watchTls(options: TlsWatchOptions): Promise<TlsWatch> {
  const { name, files, clock, logger, stopping } = options;
  let loaded = await load(files);
  let warnedAt = Number.NEGATIVE_INFINITY;
  let refused: Loaded["material"] | string | undefined;

  async function check(): Promise<void> {
    try {
      const fresh = await load(files);
      refused = undefined;
      if (!isSame(fresh.material, loaded.material)) {
        options.use(fresh.material);
        loaded = fresh;
        warnedAt = Number.NEGATIVE_INFINITY;
        logger.info(
          { listener: name, expiresAt: new Date(fresh.expiresAt).toISOString() },
          "a new certificate is used",
        );
      }
    } catch (error) {
      const said = String(error);
      if (refused !== said) logger.error({ error, listener: name }, "a changed certificate cannot be used");
      refused = said;
    }
    warn();
  }

  function warn(): void {
    const left = loaded.expiresAt - clock.now();
    if (left > WARN_BEFORE_MS || clock.elapsed() - warnedAt < DAY_MS) return;
    warnedAt = clock.elapsed();
    const fields = { listener: name, expiresAt: new Date(loaded.expiresAt).toISOString() };
    if (left > 0) logger.warn(fields, "a certificate expires soon");
    else logger.error(fields, "a certificate has expired: connections are refused");
  }

  warn();
  void repeat({ clock, everyMs: CHECK_EVERY_MS, signal: stopping, work: check });
  const isExpired = (): boolean => clock.now() >= loaded.expiresAt;
  return {
    get material() {
      return loaded.material;
    },
    isExpired,
    health: () => (isExpired() ? { state: "degraded", reasons: [`the certificate of ${name} has expired`] } : HEALTHY),
    check,
  };
}

async function load({ certificatePath, keyPath, clientCaPath }: TlsFiles): Promise<Loaded> {
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(certificatePath),
      readFile(keyPath),
      clientCaPath === undefined ? undefined : readFile(clientCaPath),
    ]);
    const material: TlsMaterial = { cert, key, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) };
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error("the key is not that of the certificate");
    createSecureContext(material);
    return { material, expiresAt: certificate.validToDate.getTime() };
  } catch (cause) {
    throw new Fault("ingest.certificate-unusable", `cannot use ${certificatePath} with ${keyPath}`, { cause });
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca?.toString() ?? "") === (b.ca?.toString() ?? "");
}
