/** HTTPS: certificates of the server and of its senders, over real sockets. */
import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { equation, type Running, raw, run, winlogbeat } from "../test-kit.ts";
import { hasOpenssl, pki } from "../testing/pki.ts";

if (!hasOpenssl) console.log("left out: HTTPS (no openssl to make certificates with)");

interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Posts a record over HTTPS; the answer's status, or the error's code, and the name in the server's certificate. */
async function postSecure(
  running: Running,
  record: string,
  { agent, headers = {}, identity = {} }: { agent?: Agent; headers?: object; identity?: Partial<Identity> } = {},
): Promise<{ status: number | string; server: unknown }> {
  const { port } = running.service.address;
  const options = { host: "127.0.0.1", port, path: "/ingest", method: "POST", rejectUnauthorized: false };
  const sending = request({ ...options, ...identity, headers: { ...headers }, agent: agent ?? false });
  let server: unknown;
  sending.once("socket", (socket) => {
    const note = (): void => {
      server =
        "getPeerCertificate" in socket ? (socket as never as PeerCertified).getPeerCertificate().subject?.CN : "";
    };
    if (socket.connecting) socket.once("secureConnect", note);
    else note();
  });
  sending.end(record);
  try {
    const [response] = (await once(sending, "response")) as [IncomingMessage];
    await once(response.resume(), "end");
    return { status: response.statusCode ?? 0, server };
  } catch (error) {
    return { status: (error as NodeJS.ErrnoException).code ?? "error", server };
  }
}

interface PeerCertified {
  getPeerCertificate(): { subject?: { CN?: string } };
}

const identityOf = async ({ cert, key }: { cert: string; key: string }): Promise<Identity> => ({
  cert: await readFile(cert),
  key: await readFile(key),
});

test.runIf(hasOpenssl)("records come over HTTPS, and plain text to its port is refused without an answer", async () => {
  await using keys = await pki();
  await using running = await run({ config: { tls: keys.tls } });
  expect(await postSecure(running, winlogbeat(1))).toEqual({ status: 200, server: "server" });
  const plain = await raw(running.service.address.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(plain).not.toContain("HTTP/1.1");
  expect(await running.metrics.valueOf("ingest_requests_refused_total", { reason: "tls" })).toBe(1);
  expect(await equation(running)).toMatchObject({ accepted: 1, events: 1 });
});

test.runIf(hasOpenssl)(
  "a sender's certificate is asked for, is enough without a token, and is who the sender is",
  async () => {
    await using keys = await pki();
    const [sender, stranger] = [await keys.make("sender-7"), await keys.make("stranger")];
    await using running = await run({ config: { tls: { ...keys.tls, clientCaPath: sender.cert } } });
    const known = { identity: await identityOf(sender), headers: { host: "culprit.example.com" } };
    expect((await postSecure(running, winlogbeat(1), known)).status).toBe(200);
    expect(running.service.sources()).toMatchObject([{ receiver: "ingest", token: "sender-7" }]);
    for (const identity of [{}, await identityOf(stranger)]) {
      expect((await postSecure(running, winlogbeat(2), { identity })).status).not.toBe(200);
    }
    expect(await equation(running)).toMatchObject({ accepted: 1 });
  },
);

test.runIf(hasOpenssl)("with tokens a certificate alone is not enough", async () => {
  await using keys = await pki();
  const sender = await keys.make("sender-7");
  const tokens = [{ name: "a", token: "hush-1234" }];
  await using running = await run({ config: { tokens, tls: { ...keys.tls, clientCaPath: sender.cert } } });
  const identity = await identityOf(sender);
  expect((await postSecure(running, winlogbeat(1), { identity })).status).toBe(401);
  const headers = { authorization: "Bearer hush-1234" };
  expect((await postSecure(running, winlogbeat(1), { identity, headers })).status).toBe(200);
  expect(running.service.sources()).toMatchObject([{ token: "a" }]);
});

test.runIf(hasOpenssl)("F46 a renewed certificate is used for new connections, and the open ones go on", async () => {
  await using keys = await pki();
  const clock = settableClock(Date.now());
  await using running = await run({ config: { tls: keys.tls }, clock });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await postSecure(running, winlogbeat(1), { agent })).toEqual({ status: 200, server: "server" });
  const renewed = await keys.make("renewed");
  await copyFile(renewed.cert, keys.tls.certificatePath);
  await copyFile(renewed.key, keys.tls.keyPath);
  await clock.advance(10_000);
  await expect.poll(() => running.lines.map(({ msg }) => msg)).toContain("a new certificate is used");
  expect(await postSecure(running, winlogbeat(2), { agent })).toEqual({ status: 200, server: "server" });
  expect(await postSecure(running, winlogbeat(3))).toEqual({ status: 200, server: "renewed" });
  agent.destroy();
});

test.runIf(hasOpenssl)("F46 with a certificate that has expired nobody is served, and health says so", async () => {
  await using keys = await pki();
  const clock = settableClock(Date.now() + 355 * 86_400_000);
  await using running = await run({ config: { tls: keys.tls }, clock });
  expect(running.lines.map(({ msg }) => msg)).toContain("a certificate expires soon");
  clock.setWall(clock.now() + 20 * 86_400_000);
  expect(running.service.health()).toEqual({ state: "degraded", reasons: ["the certificate of http has expired"] });
  expect((await postSecure(running, winlogbeat(1))).status).toBe(503);
  expect(await equation(running)).toMatchObject({ accepted: 0 });
});

test.runIf(hasOpenssl)("a key that is not the certificate's stops the start, before anything listens", async () => {
  await using keys = await pki();
  const other = await keys.make("other");
  await expect(run({ config: { tls: { ...keys.tls, keyPath: other.key } } })).rejects.toMatchObject({
    code: "ingest.certificate-unusable",
  });
});

test.runIf(hasOpenssl)("F20 F21 a handshake that does not go on holds nobody else up", async () => {
  await using keys = await pki();
  await using running = await run({ config: { tls: keys.tls } });
  const stuck = connect(running.service.address.port, "127.0.0.1");
  await once(stuck, "connect");
  stuck.write(Buffer.from([0x16, 0x03, 0x01]));
  expect((await postSecure(running, winlogbeat(1))).status).toBe(200);
  stuck.destroy();
});
