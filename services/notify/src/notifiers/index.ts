/** Every way to reach people, one line each. */
import type { NotifierKind } from "../notifier.ts";
import { alertmanager } from "./alertmanager.ts";
import { alertmanagerWebhook } from "./alertmanager-webhook.ts";
import { command } from "./command.ts";
import { elasticsearch } from "./elasticsearch.ts";
import { email } from "./email.ts";
import { goalert } from "./goalert.ts";
import { icinga } from "./icinga.ts";
import { incidentIo } from "./incident-io.ts";
import { jira } from "./jira.ts";
import { kafka } from "./kafka.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { pushover } from "./pushover.ts";
import { servicenow } from "./servicenow.ts";
import { slack, slackWebhook } from "./slack.ts";
import { splunkHec } from "./splunk-hec.ts";
import { splunkOncall } from "./splunk-oncall.ts";
import { syslog } from "./syslog.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { terminal } from "./terminal.ts";
import { twilio } from "./twilio.ts";
import { webhook } from "./webhook.ts";
import { zabbix } from "./zabbix.ts";

export const NOTIFIERS: readonly NotifierKind[] = [
  webhook,
  terminal,
  command,
  pagerduty,
  opsgenie,
  splunkOncall,
  goalert,
  incidentIo,
  slack,
  slackWebhook,
  teams,
  telegram,
  email,
  ntfy,
  pushover,
  twilio,
  alertmanager,
  alertmanagerWebhook,
  servicenow,
  jira,
  icinga,
  zabbix,
  syslog,
  splunkHec,
  elasticsearch,
  kafka,
];
