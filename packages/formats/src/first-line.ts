/**
 * The first line of a text with its end, cut at a length. A format that is known by a mark looks for it here: further down,
 * the mark is a part of somebody's message.
 */
export function firstLine(text: string, maxLength: number): string {
  const end = text.indexOf("\n");
  return text.slice(0, end === -1 ? maxLength : Math.min(end + 1, maxLength));
}
