/** How a notifier proves who it is to an HTTP API: a name with a password, or a token. */
import { type Secret, secretText } from "@culprit/runtime";
import { z } from "zod";

/** Options for it, to stand among a kind's own. */
export const LOGIN_OPTIONS = {
  user: z.exactOptional(z.string().min(1).max(255)),
  password: z.exactOptional(secretText),
  /** Instead of `user` and `password`. */
  token: z.exactOptional(secretText),
} as const;

export interface Login {
  readonly user?: string;
  readonly password?: Secret;
  readonly token?: Secret;
}

/** The header that carries a login; none where nothing is configured. `scheme` is the word before a token. */
export function loginHeader({ user, password, token }: Login, scheme = "Bearer"): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `${scheme} ${token.reveal()}` };
  if (user === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString("base64")}` };
}
