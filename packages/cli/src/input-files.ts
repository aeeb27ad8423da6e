/** Inputs named on the command line: files, folders (every file in them, in order of name) and `-` for standard input. */
import { createReadStream, type ReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@culprit/model";

export interface InputFile {
  readonly path: string;
  open(): AsyncIterable<Uint8Array>;
}

const CHUNK_BYTES = 1 << 18;

/** Resolves the paths. Errors: `Fault` "input.missing" naming the first path that is not there. */
export async function inputFiles(paths: readonly string[]): Promise<readonly InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    if (path === "-") files.push({ path: "-", open: () => process.stdin });
    else files.push(...(await filesUnder(path)));
  }
  return files;
}

async function filesUnder(path: string): Promise<InputFile[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault("input.missing", `cannot read ${path}`, { cause });
  });
  if (!found.isDirectory()) return [file(path)];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map(file);
}

function file(path: string): InputFile {
  return { path, open: (): ReadStream => createReadStream(path, { highWaterMark: CHUNK_BYTES }) };
}
