/** Markup by template: every value that is put in is text, so event text can be nothing else. */
import { maskSecrets, plainLine } from "@culprit/model";
import { html as parts } from "htm/preact";
import { type ComponentChildren, Fragment, h, type VNode } from "preact";

/** Tags with values as children or attributes, which are escaped when rendered. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): VNode {
  const made: VNode | VNode[] = parts(strings, ...values);
  return Array.isArray(made) ? h(Fragment, null, made) : made;
}

export type Markup = ComponentChildren;

/** Event text: one line, controls and direction marks made visible, secrets masked. */
export function say(text: string): string {
  return plainLine(maskSecrets(text));
}
