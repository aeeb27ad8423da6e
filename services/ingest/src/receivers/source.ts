/** Who sent a request, as a dead letter says it: the token's name, never the token. */
import { clip, type DeadLetter } from "@culprit/model";
import { type HttpRequest, headerOf } from "../http/answer.ts";

const TEXT_MAX = 200;

export function sourceOf(request: HttpRequest): NonNullable<DeadLetter["source"]> {
  const agent = headerOf(request, "user-agent");
  return {
    transport: "http",
    remote: request.remote,
    path: clip(request.path, TEXT_MAX),
    ...(request.token === undefined ? {} : { token: request.token.name }),
    ...(agent === undefined ? {} : { agent: clip(agent, TEXT_MAX) }),
  };
}
