export { NotifyConfig, type TargetConfig } from "./config.ts";
export { sendTest } from "./drill.ts";
export type { Notification, Notifier, NotifierContext, NotifierKind, SendResult } from "./notifier.ts";
export { NOTIFIERS } from "./notifiers/index.ts";
export { renderPage, renderShort } from "./page.ts";
export type { PageHistory, PageOptions } from "./page-content.ts";
export { renderHtml } from "./page-html.ts";
export { renderMarkdown } from "./page-markdown.ts";
export { type NotifyOptions, openNotifiers, start } from "./service.ts";
