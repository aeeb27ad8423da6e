/** `culprit password`: a line for the console's file of passwords, from a password on standard input. */
import { passwordLine } from "@culprit/console";
import { Fault } from "@culprit/model";
import { EXIT } from "../exit-code.ts";

/** Prints the line. Errors: `password.unfit`, with what was expected. */
export async function runPassword(
  name: string,
  input: AsyncIterable<string | Uint8Array>,
  print: (text: string) => void,
): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const read of input) {
    const chunk = typeof read === "string" ? Buffer.from(read) : Buffer.from(read);
    chunks.push(chunk);
    if (chunk.includes("\n")) break;
  }
  const [password = ""] = Buffer.concat(chunks).toString("utf8").split(/\r?\n/, 1);
  const line = await passwordLine(name, password);
  if (!line.ok) throw new Fault("password.unfit", line.failure.detail);
  print(line.value);
  return EXIT.done;
}
