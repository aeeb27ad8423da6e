/**
 * A way out through an HTTP proxy, as many networks demand. A tunnel for https, so that the proxy sees a name and no page;
 * plain http is asked for in its own name.
 *
 * Names are resolved by the proxy then: which of them lead inside is the proxy's rule to make. What is written as an address
 * in a config is judged here all the same.
 */
import { Agent as PlainAgent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { secretText } from "@culprit/runtime";
import { z } from "zod";

export const ProxyOptions = z.strictObject({
  /** `http://proxy.corp:3128`, with a login where it asks for one: a secret. */
  url: secretText.refine((url) => /^https?:$/.test(URL.parse(url.reveal())?.protocol ?? ""), "expected an http URL"),
  /** Hosts that are reached without it; `.corp` stands for all names that end so. */
  except: z
    .array(z.string().regex(/^[A-Za-z0-9.*:[\]_-]{1,253}$/))
    .max(200)
    .default([]),
});
export type ProxyOptions = z.output<typeof ProxyOptions>;

export interface Proxied {
  readonly plain: PlainAgent;
  readonly tls: TlsAgent;
}

/** Agents that go through a proxy, with a connection of its own for each request. */
export function proxied({ url, except }: ProxyOptions): Proxied {
  const proxyEnv = { HTTP_PROXY: url.reveal(), HTTPS_PROXY: url.reveal(), NO_PROXY: except.join(",") };
  return { plain: new PlainAgent({ proxyEnv }), tls: new TlsAgent({ proxyEnv }) };
}
