import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { describe, expect, test } from "vitest";
import { fixture, hostile } from "../fixtures.ts";
import { World } from "../test-kit.ts";
import { resultOfMail } from "./email.ts";
import { LOCALHOST } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e");

/** A real SMTP server with a mailbox. */
async function mailbox(options: SMTPServerOptions = {}) {
  const mails: ParsedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    ...options,
    onData(stream, _session, done) {
      simpleParser(stream).then((mail) => {
        mails.push(mail);
        done();
      }, done);
    },
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    mails,
    port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const world = (port: number, more: Record<string, unknown> = {}): Promise<World> =>
  World.open({
    targets: [
      {
        name: "mail",
        kind: "email",
        host: "127.0.0.1",
        port,
        tls: "none",
        from: "culprit@contoso.com",
        to: ["oncall@contoso.com"],
        updateEveryMs: 0,
        ...more,
      },
    ],
  });

describe("mail", () => {
  test("arrives as text and HTML, and all mails of an outage are one thread", async () => {
    await using box = await mailbox();
    await using running = await world(box.port);
    await running.publish(incident);
    await running.publish({ ...incident, revision: 4, severity: "high" });
    await running.publish({ ...incident, revision: 5, severity: "high", status: "closed" });
    const [first, second, third] = box.mails;
    expect(first?.messageId).toBe(`<${incident.id}@contoso.com>`);
    expect(first?.text).toContain("PROBABLE CAUSE");
    expect(first?.html).toContain("<!doctype html>");
    for (const mail of [second, third]) {
      expect(mail?.inReplyTo).toBe(first?.messageId);
      expect(mail?.references).toBe(first?.messageId);
      expect(mail?.subject).toBe(first?.subject);
    }
    expect(new Set(box.mails.map(({ messageId }) => messageId)).size).toBe(3);
    expect(third?.text).toMatch(/^RESOLVED/);
  });

  test("goes over TLS to a server of one's own house, and to no other", async () => {
    await using box = await mailbox({ secure: true, ...LOCALHOST });
    for (const ca of [undefined, LOCALHOST.cert]) {
      await using running = await World.open({
        targets: [
          {
            name: "mail",
            kind: "email",
            host: "127.0.0.1",
            port: box.port,
            tls: "implicit",
            from: "culprit@contoso.com",
            to: ["oncall@contoso.com"],
          },
        ],
        ...(ca === undefined ? {} : { config: { ca } }),
      });
      await running.publish(incident);
      expect(box.mails).toHaveLength(ca === undefined ? 0 : 1);
    }
  });

  test("B50 a line break in event text makes no header", async () => {
    await using box = await mailbox();
    await using running = await world(box.port);
    await running.publish(hostile("x\r\nBcc: eve@evil.example\r\n\r\nbody"));
    const [mail] = box.mails;
    expect(mail?.bcc).toBeUndefined();
    expect(mail?.headers.has("bcc")).toBe(false);
    expect(mail?.subject).toContain("Bcc: eve@evil.example");
  });

  test("B45 a server without TLS gets no mail when TLS is asked for", async () => {
    await using box = await mailbox();
    await using running = await world(box.port, { tls: "starttls" });
    await running.publish(incident);
    expect(box.mails).toHaveLength(0);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("auth");
  });

  test("a greylisted mail is sent again, and arrives once", async () => {
    let asked = 0;
    await using box = await mailbox({
      onRcptTo(_address, _session, done) {
        asked += 1;
        done(asked === 1 ? Object.assign(new Error("greylisted, try later"), { responseCode: 451 }) : null);
      },
    });
    await using running = await world(box.port);
    await running.publish(incident);
    expect((await running.deliveries())[0]?.outcome?.result).toBe("later");
    await running.advance(60_000);
    expect(box.mails).toHaveLength(1);
  });

  test("a refused password needs a person, and is not shown", async () => {
    await using box = await mailbox({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error("no")),
    });
    await using running = await world(box.port, { user: "culprit", password: "hunter2" });
    await running.publish(incident);
    const [record] = await running.deliveries();
    expect(record?.outcome?.result).toBe("auth");
    expect(JSON.stringify(record)).not.toContain("hunter2");
  });

  test.each([
    [{ responseCode: 421, message: "busy" }, "later"],
    [{ responseCode: 550, message: "no such user" }, "never"],
    [{ code: "ECONNECTION", message: "refused" }, "later"],
    [{ code: "EAUTH", responseCode: 535, message: "bad" }, "auth"],
  ])("%j is %s", (error, result) => {
    expect(resultOfMail(error).result).toBe(result);
  });
});
