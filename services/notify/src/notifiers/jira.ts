/**
 * Jira: an issue for an incident. Jira de-duplicates nothing, so the key is a label, and the issue with that label is looked
 * for before one is made. Changes are comments; the end is a transition by its name.
 *
 * Source: Jira Cloud REST v3 (`search/jql`, texts in Atlassian Document Format), Data Center REST v2 (plain texts);
 * summary 255 characters, texts 32,767; 429 carries Retry-After.
 */
import { cut, plainLine } from "@culprit/model";
import { z } from "zod";
import { type HttpAnswer, jsonOf, resultOf } from "../http.ts";
import { LOGIN_OPTIONS, loginHeader } from "../http-login.ts";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { renderContent } from "../page.ts";
import { titleOf } from "../sections.ts";

const SUMMARY_MAX = 255;
const TEXT_MAX = 30_000;
const IssueKey = z.string().regex(/^[A-Z][A-Z0-9_]{0,50}-\d{1,12}$/);
const Made = z.object({ key: IssueKey });
const Found = z.object({ issues: z.array(z.object({ key: IssueKey })) });
const Transitions = z.object({ transitions: z.array(z.object({ id: z.string(), name: z.string() })) });

const Status = z.object({ fields: z.object({ status: z.object({ statusCategory: z.object({ key: z.string() }) }) }) });

export const jira = notifierKind({
  kind: "jira",
  options: z.strictObject({
    /** `https://example.atlassian.net`, or where a Data Center answers. */
    url: z.url({ protocol: /^https?$/ }),
    ...LOGIN_OPTIONS,
    edition: z.enum(["cloud", "data-center"]).default("cloud"),
    project: z.string().regex(/^[A-Z][A-Z0-9_]{1,50}$/),
    issueType: z.string().min(1).max(80).default("Task"),
    /** The transition that ends an issue; without a name it is commented and left open. */
    doneTransition: z.exactOptional(z.string().min(1).max(80)),
    labels: z
      .array(z.string().regex(/^[^\s]{1,255}$/))
      .max(20)
      .default([]),
  }),
  open: (options, { post, now }) => {
    const isCloud = options.edition === "cloud";
    const base = `${options.url.replace(/\/+$/, "")}/rest/api/${isCloud ? 3 : 2}`;
    const headers = { "content-type": "application/json", accept: "application/json", ...loginHeader(options) };
    const text = (of: string): unknown => (isCloud ? documentOf(of) : of);
    const call = async (
      method: "GET" | "POST" | "PUT",
      path: string,
      body: unknown,
      signal: AbortSignal,
    ): Promise<Called> => {
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await post({ url: `${base}/${path}`, method, headers, ...content }, signal);
      return { answer, result: resultOf(answer, now(), "delivered") };
    };

    /** The issue under our key: as remembered, else as found; empty when there is none. */
    const find = async ({ key, remote, action }: Notification, signal: AbortSignal): Promise<string | SendResult> => {
      // The one that is remembered may be done: a story that has returned gets one that is not.
      const isNew = action === "trigger";
      if (remote["issue"] !== undefined && !isNew) return remote["issue"];
      // Both are checked by their schemas: nothing in the query can be more than a word.
      const jql = `project = "${options.project}" AND labels = "${labelOf(key)}"${isNew ? " AND statusCategory != Done" : ""} ORDER BY created DESC`;
      const query = { jql, maxResults: 1, fields: ["key"] };
      const { answer, result } = await call("POST", isCloud ? "search/jql" : "search", query, signal);
      if (result.result !== "ok") return result;
      const found = Found.safeParse(jsonOf(answer));
      return found.success
        ? (found.data.issues[0]?.key ?? "")
        : { result: "never", detail: "the answer is no list of issues" };
    };

    const make = async (notification: Notification, signal: AbortSignal): Promise<SendResult> => {
      const fields = {
        project: { key: options.project },
        issuetype: { name: options.issueType },
        summary: summaryOf(notification),
        description: text(pageOf(notification)),
        labels: [labelOf(notification.key), ...options.labels],
      };
      const { answer, result } = await call("POST", "issue", { fields }, signal);
      const made = Made.safeParse(jsonOf(answer));
      return result.result === "ok" && made.success ? { ...result, remote: { issue: made.data.key } } : result;
    };

    const change = async (issue: string, notification: Notification, signal: AbortSignal): Promise<SendResult> => {
      const edited = await call("PUT", `issue/${issue}`, { fields: { summary: summaryOf(notification) } }, signal);
      if (edited.result.result !== "ok") return edited.result;
      const commented = await call("POST", `issue/${issue}/comment`, { body: text(pageOf(notification)) }, signal);
      if (commented.result.result !== "ok" || notification.action !== "resolve")
        return withIssue(commented.result, issue);
      return withIssue(await finish(issue, signal), issue);
    };

    const finish = async (issue: string, signal: AbortSignal): Promise<SendResult> => {
      const name = options.doneTransition;
      if (name === undefined) return { result: "ok", certainty: "delivered" };
      const listed = await call("GET", `issue/${issue}/transitions`, undefined, signal);
      if (listed.result.result !== "ok") return listed.result;
      const known = Transitions.safeParse(jsonOf(listed.answer));
      const transitions = known.success ? known.data.transitions : [];
      const found = transitions.find((each) => each.name.toLowerCase() === name.toLowerCase());
      // A person may have ended it already: then the transition is not offered any more.
      if (found === undefined) return { result: "ok", certainty: "delivered" };
      return (await call("POST", `issue/${issue}/transitions`, { transition: { id: found.id } }, signal)).result;
    };

    return {
      async send(notification, signal) {
        const issue = await find(notification, signal);
        if (typeof issue !== "string") return issue;
        if (issue !== "") return change(issue, notification, signal);
        return notification.action === "resolve"
          ? { result: "ok", certainty: "delivered" }
          : make(notification, signal);
      },
      /** Only where a transition ends issues: else they are left to people. */
      async isOpen({ remote }, signal) {
        const issue = remote["issue"];
        if (issue === undefined || options.doneTransition === undefined) return undefined;
        const { answer } = await call("GET", `issue/${issue}?fields=status`, undefined, signal);
        if (answer.status === 404) return false;
        const read = Status.safeParse(jsonOf(answer));
        return answer.status === 200 && read.success
          ? read.data.fields.status.statusCategory.key !== "done"
          : undefined;
      },
    };
  },
});

interface Called {
  readonly answer: HttpAnswer;
  readonly result: SendResult;
}

function withIssue(result: SendResult, issue: string): SendResult {
  return result.result === "ok" ? { ...result, remote: { issue } } : result;
}

function labelOf(key: string): string {
  return `culprit-${key}`;
}

function summaryOf({ page, test }: Notification): string {
  return cut(plainLine(titleOf(page, test)), SUMMARY_MAX);
}

function pageOf({ page }: Notification): string {
  return cut(renderContent(page, { width: 100 }), TEXT_MAX);
}

/** A text as a document with one block of preformatted lines, in which Jira finds no mention, link or macro. */
function documentOf(text: string): unknown {
  return { type: "doc", version: 1, content: [{ type: "codeBlock", content: [{ type: "text", text }] }] };
}
