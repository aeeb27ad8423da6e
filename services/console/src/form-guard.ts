/** The guard of forms: each carries a token that belongs to the browser's cookie, so that no other site can post it. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { cookieOf, FORM_COOKIE, FormTokens } from "./guard.ts";

type Form = Readonly<Record<string, string>>;

export interface FormGuard {
  /** The token for the forms of a page; a browser without our cookie gets one. */
  tokenFor(request: FastifyRequest, reply: FastifyReply): string;
  /** The fields of a form without its token; `undefined` when that is not good. */
  fieldsOf(request: FastifyRequest): Form | undefined;
}

/** Makes a guard; consoles of one key take each other's forms. */
export function formGuard(key?: Buffer): FormGuard {
  const tokens = new FormTokens(key);
  return {
    tokenFor(request, reply) {
      const held = cookieOf(request.headers.cookie, FORM_COOKIE);
      const cookie = held ?? tokens.newCookie();
      if (held === undefined) reply.header("set-cookie", `${FORM_COOKIE}=${cookie}; Path=/; HttpOnly; SameSite=Strict`);
      return tokens.tokenFor(cookie);
    },
    fieldsOf(request) {
      const { token, ...fields } = (request.body ?? {}) as Form;
      return tokens.isGood(cookieOf(request.headers.cookie, FORM_COOKIE), token) ? fields : undefined;
    },
  };
}
