/**
 * `npm run kernel -w packages/formats`: compiles `json-lines.ts` and writes the bytes, with the hash of the source that they
 * come from, to `src/json-lines.wasm.ts`; a test compares that hash with the source at hand. The compiler is fetched for
 * this run only: it is as large as all else that is installed, and needed once in a blue moon.
 */
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "assemblyscript@0.28.20";
const FLAGS = ["-O3", "--noAssert", "--enable", "simd", "--runtime", "stub", "--initialMemory", "24"];

const source = fileURLToPath(new URL("json-lines.ts", import.meta.url));
const target = new URL("../src/json-lines.wasm.ts", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "kernel-"));
try {
  const compiled = join(folder, "json-lines.wasm");
  execFileSync("npx", ["--yes", "-p", COMPILER, "asc", source, ...FLAGS, "-o", compiled], { stdio: "inherit" });
  const lines =
    readFileSync(compiled)
      .toString("base64")
      .match(/.{1,110}/g) ?? [];
  writeFileSync(
    target,
    [
      "/** The kernel of `line-scanner.ts`, written by `npm run kernel -w packages/formats` from `kernel/json-lines.ts`: not to be edited. */",
      "/**\n * What the source was when it was compiled.\n * @internal\n */",
      `export const JSON_LINES_SOURCE_SHA256 = "${hash("sha256", readFileSync(source, "utf8"))}";`,
      "",
      "export const JSON_LINES_WASM =",
      `${lines.map((line) => `  "${line}"`).join(" +\n")};`,
      "",
    ].join("\n"),
  );
} finally {
  rmSync(folder, { recursive: true });
}
