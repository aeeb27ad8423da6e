/** Every way to reach people, one line each. */
import type { NotifierKind } from "../notifier.ts";
import { terminal } from "./terminal.ts";
import { webhook } from "./webhook.ts";

export const NOTIFIERS: readonly NotifierKind[] = [webhook, terminal];
