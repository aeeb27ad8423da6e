// Is the service on this port ready? For images without curl: node healthcheck.mjs 8088
import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";

const options = { host: "127.0.0.1", port: process.argv[2], path: "/readyz", timeout: 5_000 };

/** The status, or nothing where there is no such answer. */
const ask = (get, more) =>
  new Promise((resolve) => {
    const request = get({ ...options, ...more }, (response) => resolve(response.resume().statusCode));
    request.once("error", () => resolve(undefined));
    request.once("timeout", () => request.destroy());
  });

// Over TLS where `ingest.tls` is set; the certificate is for the name that senders know, not for this address.
const status = (await ask(getPlain, {})) ?? (await ask(getSecure, { rejectUnauthorized: false }));
process.exit(status === 200 ? 0 : 1);
