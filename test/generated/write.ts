/** `npm run docs`: writes every document that is made from code, so that tests find it in step. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./files.ts";

const root = new URL("../../", import.meta.url);
for (const [path, text] of await generatedFiles((file) => readFile(new URL(file, root), "utf8"))) {
  const target = fileURLToPath(new URL(path, root));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}
