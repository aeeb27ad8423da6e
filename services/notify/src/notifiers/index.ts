/** Every way to reach people, one line each. */
import type { NotifierKind } from "../notifier.ts";
import { alertmanager } from "./alertmanager.ts";
import { email } from "./email.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack, slackWebhook } from "./slack.ts";
import { splunkOncall } from "./splunk-oncall.ts";
import { teams } from "./teams.ts";
import { terminal } from "./terminal.ts";
import { webhook } from "./webhook.ts";

export const NOTIFIERS: readonly NotifierKind[] = [
  webhook,
  terminal,
  pagerduty,
  opsgenie,
  splunkOncall,
  slack,
  slackWebhook,
  teams,
  email,
  ntfy,
  alertmanager,
];
