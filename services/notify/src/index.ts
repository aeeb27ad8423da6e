export { renderPage, renderShort } from "./page.ts";
export type { PageHistory, PageOptions } from "./page-content.ts";
export { renderHtml } from "./page-html.ts";
export { renderMarkdown } from "./page-markdown.ts";
