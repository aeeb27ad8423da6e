/** The images' health check against a receiver with and without TLS. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Running, run } from "../services/ingest/src/test-kit.ts";
import { hasOpenssl, pki } from "../services/ingest/src/testing/pki.ts";

const SCRIPT = fileURLToPath(new URL("../infra/healthcheck.mjs", import.meta.url));

async function exitCode(port: number): Promise<number> {
  return promisify(execFile)(process.execPath, [SCRIPT, String(port)]).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}
const portIn = ({ service }: Running): number => service.address.port;

test("the health check finds a service that is ready, and none where it has stopped", async () => {
  const running = await run();
  expect(await exitCode(portIn(running))).toBe(0);
  await running[Symbol.asyncDispose]();
  expect(await exitCode(portIn(running))).toBe(1);
});

test.runIf(hasOpenssl)("the health check speaks TLS where the service does", async () => {
  await using keys = await pki();
  await using running = await run({ config: { tls: keys.tls } });
  expect(await exitCode(portIn(running))).toBe(0);
});
