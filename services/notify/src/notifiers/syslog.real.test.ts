/** Against rsyslog with its TLS driver, where both are installed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixture, hostile } from "../fixtures.ts";
import { syslog } from "./syslog.ts";
import { Driver, freePort, LOCALHOST } from "./test-kit.ts";

const PROGRAM = "/usr/sbin/rsyslogd";
const DRIVERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
const isThere = existsSync(PROGRAM) && DRIVERS.some((folder) => existsSync(`${folder}/rsyslog/lmnsd_gtls.so`));
if (!isThere) console.log("left out: the test against rsyslog over TLS (no rsyslogd with rsyslog-gnutls)");

/** rsyslog that takes TLS alone and writes what it understood, a message a line. */
async function rsyslog() {
  const directory = await mkdtemp(join(tmpdir(), "culprit-rsyslog-"));
  const file = (name: string): string => join(directory, name);
  await writeFile(file("cert.pem"), LOCALHOST.cert);
  await writeFile(file("key.pem"), LOCALHOST.key, { mode: 0o600 });
  const port = await freePort();
  const driver = `StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"`;
  const understood = "%pri% %timestamp:::date-rfc3339% %hostname% %app-name% %msgid% %structured-data% |%msg%\\n";
  await writeFile(
    file("rsyslog.conf"),
    `global(workDirectory="${directory}" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${file("cert.pem")}"
  defaultNetstreamDriverCertFile="${file("cert.pem")}" defaultNetstreamDriverKeyFile="${file("key.pem")}")
module(load="imtcp" ${driver})
template(name="understood" type="string" string="${understood}")
input(type="imtcp" port="${port}" address="127.0.0.1")
action(type="omfile" file="${file("out.log")}" template="understood")
`,
  );
  const args = ["-n", "-f", file("rsyslog.conf"), "-i", file("pid")];
  const child: ChildProcess = spawn(PROGRAM, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints += chunk.toString("utf8");
  });
  await expect.poll(() => answers(port), { timeout: 30_000, message: complaints }).toBe(true);
  return {
    port,
    lines: (): readonly string[] =>
      existsSync(file("out.log"))
        ? readFileSync(file("out.log"), "utf8")
            .split("\n")
            .filter((line) => line.includes(" culprit "))
        : [],
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

test.runIf(isThere)(
  "rsyslog takes CEF and structured data over TLS, a message a line whatever events say",
  async () => {
    await using real = await rsyslog();
    const driver = (more: Record<string, unknown> = {}): Driver =>
      new Driver(syslog, { host: "127.0.0.1", port: real.port, ca: LOCALHOST.cert, ...more });
    expect(await driver().send("trigger")).toEqual({ result: "ok", certainty: "accepted" });
    expect(await driver({ format: "rfc5424" }).send("resolve")).toMatchObject({ result: "ok" });
    const forged = "ü💾 a|b=c]\n<134>1 2026-01-01T00:00:00Z evil forged - - - -";
    expect(await driver().send("update", { incident: hostile(forged) })).toMatchObject({ result: "ok" });
    await expect.poll(() => real.lines().length, { timeout: 30_000 }).toBe(3);

    const [cef = "", structured = "", escaped = ""] = real.lines();
    const { id } = fixture("cluster-hang-9e");
    expect(cef).toMatch(/^130 2026-03-17T02:05:00\S* culprit culprit trigger - \|\s?CEF:0\|Culprit\|/);
    expect(cef).toContain(`externalId=${id} `);
    expect(structured).toMatch(/^133 \S+ culprit culprit resolve \[culprit@32473 key="/);
    expect(structured).toContain("RESOLVED HV11 crashed");
    expect(escaped).toContain("ü💾 a\\|b");
    expect(real.lines().every((line) => line.includes(" culprit culprit "))).toBe(true);
  },
);
