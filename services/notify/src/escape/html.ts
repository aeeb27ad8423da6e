/** Event text inside HTML, as element content or inside a quoted attribute. Source: RELIABILITY B47. */
import { plainLine } from "@culprit/model";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes text safe as HTML text or attribute value; it stays one line. */
export function htmlText(text: string): string {
  return plainLine(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
