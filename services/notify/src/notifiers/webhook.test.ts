import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { Incident } from "@culprit/model";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { fixture } from "../fixtures.ts";
import { fakeServer, type Received, World } from "../test-kit.ts";
import { signature } from "./webhook.ts";

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const incident = fixture("cluster-hang-9e");

/** Answers as a receiver of Standard Webhooks does: nothing without a good signature. */
function verified(secret: string): (request: Received) => { status: number } {
  return (request) => {
    const text = (name: string): string => String(request.headers[name]);
    const headers = {
      "webhook-id": text("webhook-id"),
      "webhook-timestamp": text("webhook-timestamp"),
      "webhook-signature": text("webhook-signature"),
    };
    // The world's clock is set, the library's is not: the signature is checked, the age is not.
    const signed = new Webhook(secret).sign(
      headers["webhook-id"],
      new Date(Number(headers["webhook-timestamp"]) * 1_000),
      request.body,
    );
    return { status: headers["webhook-signature"].split(" ").includes(signed) ? 200 : 401 };
  };
}

function world(url: string, options: Record<string, unknown>): Promise<World> {
  return World.open({ targets: [{ name: "hook", kind: "webhook", updateEveryMs: 0, url, ...options }] });
}

test("is signed so that a receiver with the secret takes it", async () => {
  await using server = await fakeServer(verified(SECRET));
  await using running = await world(server.url, { secrets: [SECRET] });
  await running.publish(incident);
  expect((await running.deliveries())[0]).toMatchObject({
    held: "open",
    outcome: { result: "ok", certainty: "delivered" },
  });
});

test("while secrets are changed a receiver with the old one still takes it, one with another does not", async () => {
  await using server = await fakeServer(verified(OLD_SECRET));
  await using running = await world(server.url, { secrets: [SECRET, OLD_SECRET] });
  await running.publish(incident);
  expect((await running.deliveries())[0]?.outcome?.result).toBe("ok");
  server.reply = verified(`whsec_${Buffer.alloc(24, 1).toString("base64")}`);
  await running.publish({ ...incident, revision: 4, severity: "high" });
  expect((await running.deliveries())[0]?.outcome?.result).toBe("auth");
});

test("the published example of Standard Webhooks comes out the same", () => {
  const made = signature(
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330,
    '{"test": 2432232314}',
  );
  expect(made).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("an Ed25519 secret signs as v1a", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  await using server = await fakeServer();
  await using running = await world(server.url, { secrets: [`whsk_${seed.toString("base64")}`] });
  await running.publish(incident);
  const [request] = server.received;
  const signature = String(request?.headers["webhook-signature"]);
  const text = `${request?.headers["webhook-id"]}.${request?.headers["webhook-timestamp"]}.${request?.body}`;
  const key = createPublicKey(publicKey.export({ format: "pem", type: "spki" }));
  expect(signature.startsWith("v1a,")).toBe(true);
  expect(verify(null, Buffer.from(text), key, Buffer.from(signature.slice(4), "base64"))).toBe(true);
});

test("carries the incident of the contract and the page for people", async () => {
  await using server = await fakeServer();
  await using running = await world(server.url, { headers: { "x-team": "windows" } });
  await running.publish(incident);
  const { type, data } = JSON.parse(server.received[0]?.body ?? "{}") as {
    type: string;
    data: Record<string, unknown>;
  };
  expect(type).toBe("incident.trigger");
  expect(data["key"]).toBe(incident.id);
  expect(Incident.parse(data["incident"]).title).toBe(incident.title);
  expect(data["text"]).toContain("PROBABLE CAUSE");
  expect(server.received[0]?.headers["x-team"]).toBe("windows");
});

test("410 means nobody wants it: it is not tried again", async () => {
  await using server = await fakeServer(() => ({ status: 410 }));
  await using running = await world(server.url, {});
  await running.publish(incident);
  await running.advance(3_600_000);
  expect(server.received).toHaveLength(1);
});
