/** Certificates for tests, made by openssl in a folder of their own. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export const hasOpenssl = existsSync("/usr/bin/openssl");

interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Pki {
  /** What a listener's `tls` takes: a certificate for a year. */
  readonly tls: { readonly certificatePath: string; readonly keyPath: string };
  /** Paths of another certificate with this name. */
  make(name: string): Promise<Pair>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function pki(): Promise<Pki> {
  const folder = await mkdtemp(join(tmpdir(), "culprit-tls-"));
  const make = async (name: string): Promise<Pair> => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365"];
    const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost"];
    await exec("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert]);
    return { cert, key };
  };
  const { cert, key } = await make("server");
  return {
    tls: { certificatePath: cert, keyPath: key },
    make,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
