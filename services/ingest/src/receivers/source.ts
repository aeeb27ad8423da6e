/** Who sent a request, as a dead letter says it: the token's name, never the token. */
import { clip, type DeadLetter } from "@culprit/model";
import { type HttpRequest, headerOf } from "../http/answer.ts";
import type { Sender } from "../quotas.ts";

const TEXT_MAX = 200;

export function sourceOf(request: HttpRequest): NonNullable<DeadLetter["source"]> {
  const agent = headerOf(request, "user-agent");
  return {
    transport: "http",
    ...senderOf(request),
    path: clip(request.path, TEXT_MAX),
    ...(agent === undefined ? {} : { agent: clip(agent, TEXT_MAX) }),
  };
}

/** Who sends: by the name of its token, else of its certificate, else by its address alone. */
export function senderOf({
  remote,
  token,
  certificate,
}: Pick<HttpRequest, "remote" | "token" | "certificate">): Sender {
  const name = token?.name ?? certificate;
  return name === undefined ? { remote } : { remote, token: name };
}
