/** Text that must not be shown: a token, a password, a key. It goes into a header or a socket and nowhere else. */
import { inspect } from "node:util";
import { z } from "zod";

const HIDDEN = "[secret]";

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/**
 * A secret in a config schema. The config may also give `<key>File`, a path that the text is read from; a final line break
 * in the file is not part of it.
 */
export const secretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));
