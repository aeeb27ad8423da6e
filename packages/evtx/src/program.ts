/**
 * Programs: what a template definition comes to when it has the shape that Windows writes. A program says which value of an
 * instance is which field, so that a record is decoded without building its tree. A template of any other shape has no
 * program, and an instance that a program does not cover (an array where one value is due, a nested fragment) is refused by
 * `decode.ts`; both go the plain way of `tree.ts`, with the same result.
 */
import type { AttributeNode, ElementNode, Node, Template, TextNode, ValueNode } from "./nodes.ts";
import { isNamedElement, isNamespace, localName } from "./section.ts";
import { SLOT_COUNT, slotOf } from "./system.ts";

/** A template whose root is `Event`. */
export interface EventProgram {
  /** Index of the value for each slot of System, or -1: then `constants` says it. */
  readonly slots: Int16Array;
  readonly constants: readonly (string | undefined)[];
  /** Values that must not be null: each is all an element holds that has attributes beside it. */
  readonly guards: readonly number[];
  /** What follows System. */
  readonly body: readonly (SectionProgram | NestedStep)[];
}

/** A value of type 0x21 in the place of EventData or UserData, or as all that one of them holds. */
export interface NestedStep {
  readonly kind: "nested";
  readonly index: number;
  /** The element around the value, where the template has it. */
  readonly inside: SectionName | undefined;
  readonly optional: boolean;
}

export type SectionName = "EventData" | "UserData";

/** A template, or part of one, whose root is `EventData` or `UserData`. */
export interface SectionProgram {
  readonly kind: "section";
  readonly section: SectionName;
  readonly dataElement: string | undefined;
  readonly names: readonly string[];
  readonly steps: readonly FieldStep[];
}

export interface FieldStep {
  readonly name: string;
  /** Index of the value, or -1: then `text` is the value. */
  readonly index: number;
  readonly text: string;
  /** Left out when the value is null. */
  readonly optional: boolean;
  /** Left out when empty. */
  readonly dropEmpty: boolean;
  /** An array gives the field once for each item. */
  readonly repeatable: boolean;
}

/** Thrown and caught in this file: the template has a shape that programs do not cover. */
class Unsupported extends Error {}

function attempt<T>(compile: () => T): T | undefined {
  try {
    return compile();
  } catch (thrown) {
    if (thrown instanceof Unsupported) return undefined;
    throw thrown;
  }
}

/** The programs of one template: each is made when first asked for, `null` where its shape has none. */
export interface TemplatePrograms {
  event?: EventProgram | null;
  section?: SectionProgram | null;
  EventData?: SectionProgram | null;
  UserData?: SectionProgram | null;
}

/** The program of a template with one `Event` as its root, or `null`. */
export function eventProgram(template: Template): EventProgram | null {
  template.programs ??= {};
  const { programs } = template;
  if (programs.event === undefined) programs.event = compileEvent(template.nodes) ?? null;
  return programs.event;
}

/**
 * The program of a template with one `EventData` or `UserData` as its root, or with what stands `inside` one; `null` for
 * other shapes.
 */
export function sectionProgram(template: Template, inside: SectionName | undefined): SectionProgram | null {
  template.programs ??= {};
  const { programs } = template;
  const key = inside ?? "section";
  let program = programs[key];
  if (program === undefined) {
    program = compileSection(template.nodes, inside) ?? null;
    programs[key] = program;
  }
  return program;
}

function compileEvent(nodes: readonly Node[]): EventProgram | undefined {
  return attempt(() => {
    const event = soleElement(nodes);
    if (localName(event.name) !== "Event") throw new Unsupported();
    const [system, ...rest] = event.children;
    if (system?.kind !== "element" || localName(system.name) !== "System") throw new Unsupported();
    return { ...compileSystem(system), body: rest.map(bodyStep) };
  });
}

function compileSection(nodes: readonly Node[], inside: SectionName | undefined): SectionProgram | undefined {
  return attempt(() => sectionOf(inside === undefined ? soleElement(nodes) : sectionElement(inside, nodes)));
}

/** The program of a section that holds nothing. */
export function emptySection(section: SectionName): SectionProgram {
  return sectionOf(sectionElement(section, []));
}

function sectionElement(name: SectionName, children: readonly Node[]): ElementNode {
  return { kind: "element", name, attributes: [], children };
}

function soleElement(nodes: readonly Node[]): ElementNode {
  const [only] = nodes;
  if (nodes.length !== 1 || only?.kind !== "element") throw new Unsupported();
  return only;
}

function compileSystem(system: ElementNode): Pick<EventProgram, "slots" | "constants" | "guards"> {
  const slots = new Int16Array(SLOT_COUNT).fill(-1);
  const constants: (string | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
  const taken = new Set<number>();
  const guards: number[] = [];
  const put = (slot: number | undefined, content: TextNode | ValueNode): void => {
    if (slot === undefined) return;
    if (taken.has(slot)) throw new Unsupported();
    taken.add(slot);
    if (content.kind === "text") constants[slot] = content.text;
    else slots[slot] = content.index;
  };
  for (const node of system.children) {
    if (node.kind !== "element") throw new Unsupported();
    const name = localName(node.name);
    const content = soleContent(node.children);
    put(slotOf(name), content);
    for (const attribute of node.attributes) put(slotOf(name, attribute.name), soleContent(attribute.parts));
    if (content.kind === "value" && content.optional && node.attributes.length > 0) guards.push(content.index);
  }
  return { slots, constants, guards };
}

function bodyStep(node: Node): SectionProgram | NestedStep {
  if (node.kind === "value") return { kind: "nested", index: node.index, inside: undefined, optional: true };
  if (node.kind !== "element") throw new Unsupported();
  const name = localName(node.name);
  const [only] = node.children;
  if (node.children.length !== 1 || only?.kind !== "value") return sectionOf(node);
  if (name !== "EventData" && name !== "UserData") throw new Unsupported();
  return { kind: "nested", index: only.index, inside: name, optional: only.optional };
}

function sectionOf(element: ElementNode): SectionProgram {
  const section = localName(element.name);
  const steps: FieldStep[] = [];
  let dataElement: string | undefined;
  if (section === "EventData") {
    for (const field of onlyElements(element.children)) addField(field, "", steps);
  } else if (section === "UserData") {
    for (const child of onlyElements(element.children)) {
      dataElement ??= localName(child.name);
      addUserData(child, steps);
    }
  } else throw new Unsupported();
  return { kind: "section", section, dataElement, names: Object.freeze(steps.map((step) => step.name)), steps };
}

/** The child of UserData: its attributes and elements are the fields, else its text. */
function addUserData(element: ElementNode, steps: FieldStep[]): void {
  const attributes = element.attributes.filter((attribute) => !isNamespace(attribute.name));
  addAttributes(attributes, "", steps);
  const inner = onlyInner(element);
  if (inner.length > 0) {
    if (inner.every(mayVanish) && inner.length < element.children.length) throw new Unsupported();
    for (const field of inner) addField(field, "", steps);
    return;
  }
  const content = soleContent(element.children);
  if (content.kind === "value") throw new Unsupported();
  if (content.text !== "") steps.push(constantStep("", content.text));
}

/** Mirrors `Fields.element` of section.ts. */
function addField(element: ElementNode, prefix: string, steps: FieldStep[]): void {
  const isNamed = isNamedElement(element.name);
  const name = prefix + (isNamed ? nameAttribute(element) : localName(element.name));
  const attributes = element.attributes.filter(
    (attribute) => !isNamespace(attribute.name) && !(isNamed && attribute.name === "Name"),
  );
  if (attributes.length > 0 && name === "Binary") throw new Unsupported();
  const innerPrefix = name === "" ? "" : `${name}.`;
  addAttributes(attributes, innerPrefix, steps);
  const inner = onlyInner(element);
  if (inner.length > 0) {
    // An element that loses all it holds is an empty field of its own.
    if (inner.every(mayVanish)) throw new Unsupported();
    for (const field of inner) addField(field, innerPrefix, steps);
    return;
  }
  const content = soleContent(element.children);
  if (content.kind === "text") {
    if (content.text === "" && name === "Binary") return;
    if (content.text === "" && attributes.length > 0) {
      // Whether such an element adds an empty field depends on attributes that may be left out.
      if (attributes.some(hasOptional)) throw new Unsupported();
      return;
    }
    steps.push(constantStep(name, content.text));
    return;
  }
  if (attributes.length > 0) throw new Unsupported();
  steps.push(valueStep(name, content, { dropEmpty: name === "Binary", repeatable: true }));
}

function addAttributes(attributes: readonly AttributeNode[], prefix: string, steps: FieldStep[]): void {
  for (const attribute of attributes) {
    const name = prefix + localName(attribute.name);
    const content = soleContent(attribute.parts);
    steps.push(
      content.kind === "text"
        ? constantStep(name, content.text)
        : valueStep(name, content, { dropEmpty: false, repeatable: false }),
    );
  }
}

function hasOptional(attribute: AttributeNode): boolean {
  return attribute.parts.some((part) => part.kind === "value" && part.optional);
}

function constantStep(name: string, text: string): FieldStep {
  return { name, index: -1, text, optional: false, dropEmpty: false, repeatable: false };
}

function valueStep(name: string, value: ValueNode, rules: Pick<FieldStep, "dropEmpty" | "repeatable">): FieldStep {
  return { name, index: value.index, text: "", optional: value.optional, ...rules };
}

function nameAttribute(element: ElementNode): string {
  const attribute = element.attributes.find((candidate) => candidate.name === "Name");
  if (attribute === undefined) return "";
  const content = soleContent(attribute.parts);
  if (content.kind === "value") throw new Unsupported();
  return content.text;
}

/** Content that is one value, or constant text in any number of pieces. */
function soleContent(nodes: readonly Node[]): TextNode | ValueNode {
  const [only] = nodes;
  if (nodes.length === 1 && only?.kind === "value") return only;
  let text = "";
  for (const node of nodes) {
    if (node.kind !== "text") throw new Unsupported();
    text += node.text;
  }
  return { kind: "text", text };
}

/** The elements inside an element that holds elements; none for one that holds text or values. */
function onlyInner(element: ElementNode): ElementNode[] {
  return element.children.some((node) => node.kind === "element") ? onlyElements(element.children) : [];
}

/** Whether an element is left out when its value is null. */
function mayVanish(element: ElementNode): boolean {
  const [only] = element.children;
  return element.children.length === 1 && only?.kind === "value" && only.optional;
}

/** The elements among nodes of which the rest is blank. */
function onlyElements(nodes: readonly Node[]): ElementNode[] {
  const elements: ElementNode[] = [];
  for (const node of nodes) {
    if (node.kind === "element") elements.push(node);
    else if (node.kind !== "text" || node.text.trim() !== "") throw new Unsupported();
  }
  return elements;
}
