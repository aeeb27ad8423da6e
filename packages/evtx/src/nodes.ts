/** Binary XML as parsed, before values are put in: what a template definition, or a fragment without one, says. */
import type { Frame } from "./frame.ts";
import type { TemplatePrograms } from "./program.ts";

export type Node = ElementNode | TextNode | ValueNode | InstanceNode | InstructionNode;

export interface ElementNode {
  readonly kind: "element";
  readonly name: string;
  readonly attributes: readonly AttributeNode[];
  readonly children: readonly Node[];
}

export interface AttributeNode {
  readonly name: string;
  readonly parts: readonly (TextNode | ValueNode)[];
}

export interface TextNode {
  readonly kind: "text";
  readonly text: string;
}

/** A place for the value `index` of the template's instance; an optional one takes its element or attribute with it. */
export interface ValueNode {
  readonly kind: "value";
  readonly index: number;
  readonly optional: boolean;
}

/** A template with its values, inside other binary XML. */
interface InstanceNode {
  readonly kind: "instance";
  readonly frame: Frame;
}

/** `<?target data?>`. */
export interface InstructionNode {
  readonly kind: "instruction";
  readonly target: string;
  readonly data: string;
}

/** A template definition, and the programs that were made of it (`program.ts`). */
export interface Template {
  readonly nodes: readonly Node[];
  programs?: TemplatePrograms;
}
