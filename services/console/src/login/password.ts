/**
 * Passwords as they are kept: `scrypt$<log2 of N>$<r>$<p>$<salt>$<hash>`, and the file of them, one `name:…` a line.
 * Source: RFC 7914; OWASP "Password storage" (N 2^17, r 8, p 1).
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { type Decoded, failure, success } from "@culprit/model";

const COST_LOG2 = 17;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PASSWORD_MAX_LENGTH = 1_000;
const PASSWORD_MIN_LENGTH = 10;

interface KeptPassword {
  readonly costLog2: number;
  readonly blockSize: number;
  readonly parallel: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export type Passwords = ReadonlyMap<string, KeptPassword>;

const NAME = /^[\w.@-]{1,100}$/;
const KEPT = /^scrypt\$(1[4-9]|20)\$([1-9]|[12]\d|3[0-2])\$([1-9]|1[0-6])\$([\w+/=-]{16,200})\$([\w+/=-]{20,200})$/;

/** A line of the file for a name and a password. Errors as values: `password.bad-name`, `password.too-short`. */
export async function passwordLine(name: string, password: string): Promise<Decoded<string>> {
  if (!NAME.test(name)) return failure("password.bad-name", "expected letters, digits, dot, dash, underscore or @");
  if (password.length < PASSWORD_MIN_LENGTH || password.length > PASSWORD_MAX_LENGTH) {
    const detail = `expected ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} characters`;
    return failure("password.too-short", detail);
  }
  const kept = { costLog2: COST_LOG2, blockSize: BLOCK_SIZE, parallel: PARALLEL, salt: randomBytes(SALT_BYTES) };
  const hash = await derive(password, { ...kept, hash: Buffer.alloc(HASH_BYTES) });
  const parts = ["scrypt", COST_LOG2, BLOCK_SIZE, PARALLEL, kept.salt.toString("base64"), hash.toString("base64")];
  return success(`${name}:${parts.join("$")}`);
}

/** Reads the file; empty lines and such that begin with `#` are passed over. Errors as values: `password.bad-line`. */
export function readPasswords(text: string): Decoded<Passwords> {
  const passwords = new Map<string, KeptPassword>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    const [, costLog2, blockSize, parallel, salt = "", hash = ""] = KEPT.exec(line.slice(colon + 1).trim()) ?? [];
    if (!NAME.test(name) || costLog2 === undefined || passwords.has(name)) {
      return failure(
        "password.bad-line",
        `line ${index + 1}: expected one name:scrypt$… each, as culprit password prints`,
      );
    }
    passwords.set(name, {
      costLog2: Number(costLog2),
      blockSize: Number(blockSize),
      parallel: Number(parallel),
      salt: Buffer.from(salt, "base64"),
      hash: Buffer.from(hash, "base64"),
    });
  }
  return success(passwords);
}

/** Stands in for a name that nobody has, so that the time says nothing about who is known. */
const NOBODY: KeptPassword = {
  costLog2: COST_LOG2,
  blockSize: BLOCK_SIZE,
  parallel: PARALLEL,
  salt: Buffer.alloc(SALT_BYTES),
  hash: Buffer.alloc(HASH_BYTES),
};

/** Whether a password is that of a name. */
export async function isPassword(passwords: Passwords, name: string, password: string): Promise<boolean> {
  const kept = passwords.get(name);
  const expected = kept ?? NOBODY;
  const given = await derive(password, expected);
  return timingSafeEqual(given, expected.hash) && kept !== undefined;
}

function derive(password: string, kept: KeptPassword): Promise<Buffer> {
  const N = 2 ** kept.costLog2;
  const options = { N, r: kept.blockSize, p: kept.parallel, maxmem: 256 * N * kept.blockSize };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), kept.salt, kept.hash.length, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}
