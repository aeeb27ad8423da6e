/** The second name of a provider, in the attributes of its element. An event may be meant by either. */
const ALIAS = /\sEventSourceName\s{0,4}=\s{0,4}(?:'([^'<]{0,200})'|"([^"<]{0,200})")/;

/** Whether the attributes of `<Provider>` give it another name than this one, so that neither alone decides. */
export function hasOtherName(attributes: string, name: string): boolean {
  if (!attributes.includes("EventSourceName")) return false;
  const match = ALIAS.exec(attributes);
  return (match?.[1] ?? match?.[2])?.toLowerCase() !== name.toLowerCase();
}
