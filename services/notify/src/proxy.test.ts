import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { addressGuard } from "./address-guard.ts";
import { httpPost, resultOfFault } from "./http.ts";
import { LOCALHOST } from "./notifiers/test-kit.ts";
import { ProxyOptions } from "./proxy.ts";
import { fakeServer } from "./test-kit.ts";
import { trustedAuthorities } from "./trust.ts";

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

/** A proxy that leads every tunnel to one port, and keeps what it was asked for. */
async function openProxy(target: number) {
  const asked: string[] = [];
  const tunnels = new Set<Duplex>();
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end("through the proxy");
  });
  proxy.on("connect", (request, socket) => {
    tunnels.add(socket);
    asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? "-"}`);
    if (request.url?.startsWith("refused.example") === true) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const inner = connect(target, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      inner.pipe(socket).pipe(inner);
    });
    for (const end of [inner, socket]) end.on("error", () => end.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    asked,
    url: (login = "") => `http://${login}127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const tunnel of tunnels) tunnel.destroy();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** A target with a certificate for localhost. */
async function openTarget() {
  const server = createTlsServer(LOCALHOST, (request, response) => {
    request.resume();
    request.once("end", () => response.end(`taken for ${request.headers.host}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const trust = trustedAuthorities(LOCALHOST.cert);

test("https goes through a tunnel: the proxy sees a name and a login, the target the page", async () => {
  await using target = await openTarget();
  await using proxy = await openProxy(target.port);
  const post = httpPost(addressGuard(), { trust, proxy: ProxyOptions.parse({ url: proxy.url("us:secret@") }) });
  expect(await post({ url: "https://localhost/in", body: "the page" }, soon())).toMatchObject({
    status: 200,
    body: "taken for localhost",
  });
  expect(proxy.asked).toEqual([`CONNECT localhost:443 Basic ${Buffer.from("us:secret").toString("base64")}`]);
});

test("plain http is asked for at the proxy, and what is excepted is not", async () => {
  await using direct = await fakeServer(() => ({ status: 200, body: "straight" }));
  await using proxy = await openProxy(0);
  const guard = addressGuard({ allow: ["127.0.0.1"] });
  const options = ProxyOptions.parse({ url: proxy.url(), except: ["127.0.0.1"] });
  const post = httpPost(guard, { proxy: options });
  expect((await post({ url: "http://hooks.example/in", body: "{}" }, soon())).body).toBe("through the proxy");
  expect((await post({ url: `${direct.url}/in`, body: "{}" }, soon())).body).toBe("straight");
  expect(proxy.asked).toEqual(["POST http://hooks.example/in"]);
});

test("B44 an address that is written in a URL is judged before the proxy is asked", async () => {
  await using proxy = await openProxy(0);
  const post = httpPost(addressGuard(), { proxy: ProxyOptions.parse({ url: proxy.url() }) });
  await expect(post({ url: "https://169.254.169.254/" }, soon())).rejects.toThrow("may not be used");
  expect(proxy.asked).toEqual([]);
});

test("a proxy that refuses or is away is tried again, and its login is not told", async () => {
  const proxy = await openProxy(0);
  const post = httpPost(addressGuard(), { proxy: ProxyOptions.parse({ url: proxy.url("us:secret@") }) });
  const refused = await post({ url: "https://refused.example/", body: "{}" }, soon()).catch(resultOfFault);
  await proxy[Symbol.asyncDispose]();
  const away = await post({ url: "https://hooks.example/", body: "{}" }, soon()).catch(resultOfFault);
  for (const result of [refused, away]) {
    expect(result).toMatchObject({ result: "later" });
    expect(JSON.stringify(result)).not.toContain("secret");
  }
});

test("anything but an http URL is refused when the config is loaded", () => {
  for (const url of ["socks5://proxy:1080", "proxy:3128", "x"]) {
    expect(ProxyOptions.safeParse({ url }).success).toBe(false);
  }
});
