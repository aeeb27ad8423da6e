/** `culprit token`: makes a token for a sender, and the line of the config that knows it by its hash alone. */
import { createHash, randomBytes } from "node:crypto";
import { plainLine } from "@culprit/model";
import { EXIT } from "../exit-code.ts";

/** 256 bits: too many to guess, so that a plain hash keeps them. */
const TOKEN_BYTES = 32;

/** Runs the command. Returns the exit code. The token is printed here and kept nowhere. */
export function runToken(name: string, print: (text: string) => void): number {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const sha256 = createHash("sha256").update(token).digest("hex");
  print(`token   ${token}`);
  print(`config  - { name: ${JSON.stringify(plainLine(name))}, sha256: "${sha256}" }`);
  return EXIT.done;
}
