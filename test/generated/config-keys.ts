/** The keys of the config as REFERENCE.md lists them, read from its JSON Schema. */

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly const?: unknown;
}

/**
 * Every key with its path: `ingest.port`, `ingest.tokens[].name`. Of a list whose entries differ by `kind` the keys that
 * all kinds have stand as `notify.targets[].name`, the others as `notify.targets[webhook].url`.
 */
export function configKeys(schema: unknown): readonly string[] {
  const found = new Set<string>();
  walk(schema as Node, "", found);
  return [...found].sort();
}

function walk(node: Node, path: string, found: Set<string>): void {
  const kinds = (node.oneOf ?? node.anyOf ?? []).filter(({ properties }) => properties !== undefined);
  if (kinds.length > 0) walkKinds(kinds, path, found);
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const here = path === "" ? key : `${path}.${key}`;
    if (isLeaf(child)) found.add(here);
    walk(child, here, found);
  }
  if (node.items !== undefined) walk(node.items, `${path}[]`, found);
}

/** Neither an object nor a list of objects. */
function isLeaf(node: Node): boolean {
  return node.properties === undefined && (node.items === undefined || isPlain(node.items));
}

function isPlain({ properties, oneOf, anyOf }: Node): boolean {
  return properties === undefined && [...(oneOf ?? []), ...(anyOf ?? [])].every((one) => one.properties === undefined);
}

function walkKinds(kinds: readonly Node[], path: string, found: Set<string>): void {
  const keys = kinds.map(({ properties = {} }) => Object.keys(properties));
  const common = new Set(keys[0]?.filter((key) => keys.every((others) => others.includes(key))));
  for (const { properties = {} } of kinds) {
    for (const [key, child] of Object.entries(properties)) {
      const kind = String(properties["kind"]?.const ?? "");
      const here = common.has(key) ? `${path}.${key}` : `${path.replace(/\[\]$/, "")}[${kind}].${key}`;
      if (isLeaf(child)) found.add(here);
      walk(child, here, found);
    }
  }
}
