/** In whose name something is done, and from where: for the audit on every action and silence. */
import type { ActionOrigin } from "@culprit/model";
import type { FastifyRequest } from "fastify";
import type { Caller } from "./login/callers.ts";

/** A person who has logged in is who they are; a program may speak for others, and its token is noted. */
export function authorOf(
  request: FastifyRequest,
  caller: Caller,
  claim: { readonly via: "console" | "api"; readonly who: string | undefined },
): { readonly who: string | undefined; readonly from: ActionOrigin } {
  const from = { via: claim.via, address: request.ip };
  switch (caller.kind) {
    case "anyone":
      return { who: claim.who, from };
    case "person":
      return { who: caller.name, from };
    case "token":
      return { who: claim.who ?? caller.name, from: { ...from, detail: `token ${caller.name}` } };
  }
}
