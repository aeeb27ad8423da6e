/** Every file that is made from code: path from the root of the repository -> text. */
import { KNOWLEDGE_DIR, loadKnowledge } from "../../packages/cli/src/knowledge-files.ts";
import { articleTable } from "./articles.ts";
import { faultsPage } from "./faults-page.ts";
import { knowledgePage } from "./knowledge-page.ts";
import { replaceBetweenMarks } from "./markdown.ts";
import { schemaFiles } from "./schemas.ts";

/** Makes the files; `read` gives those of which only a part is made. */
export async function generatedFiles(read: (path: string) => Promise<string>): Promise<ReadonlyMap<string, string>> {
  const knowledge = await loadKnowledge(KNOWLEDGE_DIR);
  const schemas = [...schemaFiles()].map(([name, text]) => [`docs/schema/${name}`, text] as const);
  return new Map([
    ...schemas,
    ["docs/knowledge.md", knowledgePage(knowledge)] as const,
    ["docs/faults.md", faultsPage()] as const,
    ["README.md", replaceBetweenMarks(await read("README.md"), "articles", articleTable(knowledge.program))] as const,
  ]);
}
