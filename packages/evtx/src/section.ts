/** EventData and UserData of a record's tree as names and values. */
import type { RecordData } from "./record.ts";
import type { Attribute, Child, Element } from "./tree.ts";

/** The part of a name behind its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** Whether an attribute declares a namespace and so is no data. */
export function isNamespace(name: string): boolean {
  return name === "xmlns" || name.startsWith("xmlns:");
}

/** Whether an element carries its field's name in an attribute: `<Data Name="param1">`. */
export function isNamedElement(name: string): boolean {
  return name === "Data" || name === "ComplexData";
}

/** Elements in order as flat fields; a repeated or empty name is kept. */
export function eventDataFields(section: Element): RecordData {
  const fields = new Fields();
  for (const child of section.children) {
    if (typeof child === "string" || child.kind !== "element") continue;
    fields.element(child, "");
  }
  return fields.data();
}

/** The fields of UserData, whose child elements hold them: names of nested elements are joined with a dot. */
export function userDataFields(section: Element): {
  readonly data: RecordData;
  readonly dataElement: string | undefined;
} {
  const fields = new Fields();
  let dataElement: string | undefined;
  for (const child of section.children) {
    if (typeof child === "string" || child.kind !== "element") continue;
    dataElement ??= localName(child.name);
    const inner = elementsOf(child.children);
    fields.attributes(child.attributes, "");
    if (inner.length > 0) for (const field of inner) fields.element(field, "");
    else if (textOf(child.children) !== "") fields.add("", textOf(child.children));
  }
  return { data: fields.data(), dataElement };
}

class Fields {
  private readonly names: string[] = [];
  private readonly values: string[] = [];

  data(): RecordData {
    return { names: this.names, values: this.values };
  }

  add(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  element(element: Element, prefix: string): void {
    const name = prefix + fieldName(element);
    const inner = elementsOf(element.children);
    const text = textOf(element.children);
    if (name === "Binary" && inner.length === 0 && text === "") return;
    const before = this.names.length;
    const innerPrefix = name === "" ? "" : `${name}.`;
    this.attributes(element.attributes, innerPrefix, isNamedElement(element.name));
    for (const child of inner) this.element(child, innerPrefix);
    // An element without text that has said something by attributes or children adds nothing of its own.
    if (inner.length === 0 ? text !== "" || this.names.length === before : text.trim() !== "") this.add(name, text);
  }

  attributes(attributes: readonly Attribute[], prefix: string, isNamed = false): void {
    for (const { name, value } of attributes) {
      if (isNamespace(name) || (isNamed && name === "Name")) continue;
      this.add(prefix + localName(name), value);
    }
  }
}

/** `Name` of a Data element, "" for one without; the local name of any other element. */
function fieldName(element: Element): string {
  if (!isNamedElement(element.name)) return localName(element.name);
  return element.attributes.find((attribute) => attribute.name === "Name")?.value ?? "";
}

export function elementsOf(children: readonly Child[]): readonly Element[] {
  return children.filter((child) => typeof child !== "string" && child.kind === "element") as readonly Element[];
}

export function textOf(children: readonly Child[]): string {
  let text = "";
  for (const child of children) if (typeof child === "string") text += child;
  return text;
}
