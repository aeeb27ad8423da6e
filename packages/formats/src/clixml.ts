/**
 * `Export-Clixml` of events: one document whose `<Obj>` elements hold typed properties by name (`N`).
 *
 * Source: FORMATS.md section 14. `_x000D__x000A_` in strings is CRLF.
 */
import { failure } from "@culprit/model";
import { finishEvent } from "./draft.ts";
import { type Format, NO_MATCH, SURE_MATCH } from "./format.ts";
import type { JsonObject, JsonValue } from "./json-text.ts";
import { draftOfPowershell } from "./powershell-json.ts";
import { childOf, readXml, type XmlElement } from "./xml-tree.ts";

/** A document holds many events, of about 60 elements each. */
const ELEMENTS_MAX = 2_000_000;

export const clixml: Format = {
  name: "clixml",
  sniff: (record) => (record.shape === "xml" && record.text.startsWith("<Objs") ? SURE_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const tree = readXml(record.text, { elementsMax: ELEMENTS_MAX });
    if (!tree.ok) {
      yield tree;
      return;
    }
    const objects = tree.value.roots.flatMap((root) => root.children.filter((child) => child.name === "Obj"));
    if (objects.length === 0) yield failure("clixml.no-objects", "a document without objects");
    const marks = [...tree.value.marks, ...record.marks];
    for (const object of objects) yield finishEvent({ ...draftOfPowershell(propertiesIn(object)), marks }, context);
  },
};

/** Adapted and extended properties of an object, by name. */
function propertiesIn(object: XmlElement): JsonObject {
  const value: JsonObject = Object.create(null);
  for (const group of ["Props", "MS"]) {
    for (const child of childOf(object, group)?.children ?? []) {
      const name = child.attributes.get("N");
      if (name !== undefined) value[name] = propertyOf(child);
    }
  }
  return value;
}

function propertyOf(element: XmlElement): JsonValue {
  if (element.name === "Nil") return null;
  if (element.name !== "Obj") return unescaped(element.text);
  const list = childOf(element, "LST") ?? childOf(element, "IE") ?? childOf(element, "STK");
  if (list !== undefined) return list.children.map(propertyOf);
  if (childOf(element, "Props") !== undefined || childOf(element, "MS") !== undefined) return propertiesIn(element);
  return childOf(element, "ToString")?.text ?? null;
}

function unescaped(text: string): string {
  return text.replace(/_x([0-9A-F]{4})_/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
