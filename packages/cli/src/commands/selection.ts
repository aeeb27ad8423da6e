/**
 * `culprit selection`: the filter that a forwarder may apply at the source, from the loaded playbooks. It lets through what
 * some detection of a playbook reads, log by log; detections that any provider can meet ask for their ids alone.
 */
import { isFeedChannel } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import { selectionOf } from "@culprit/rules";
import { escapeXml } from "../escape-xml.ts";
import { EXIT } from "../exit-code.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "../knowledge-files.ts";

export const SELECTION_FORMATS = ["wef-xpath", "winlogbeat", "nxlog", "splunk"] as const;
export type SelectionFormat = (typeof SELECTION_FORMATS)[number];

/** Event ids wanted of each log. */
type LogIds = ReadonlyMap<string, readonly number[]>;

/** Runs the command. Returns the exit code. */
export async function runSelection(format: SelectionFormat, print: (text: string) => void): Promise<number> {
  print(WRITERS[format](logIdsOf(await loadKnowledge(KNOWLEDGE_DIR))));
  return EXIT.done;
}

/** Log -> ids, for the detections that playbooks use and those that tell of restarts. */
function logIdsOf({ program, ruleset }: Knowledge): LogIds {
  const found = new Map<string, Set<number>>();
  if (ruleset === undefined) return new Map();
  for (const rule of ruleset.rules) {
    if (!program.keyKinds.has(rule.key)) continue;
    const channel = program.detections.get(rule.key)?.channels[0];
    if (channel === undefined || channel === "" || channel.startsWith("FileLog") || isFeedChannel(channel)) continue;
    const query = ruleset.internals.queries.get(rule.place);
    if (query === undefined) continue;
    const ids = selectionOf({ internals: { queries: new Map([[rule.place, query]]) } }).entries.flatMap(
      ({ eventIds }) => eventIds ?? [],
    );
    const held = found.get(channel) ?? new Set<number>();
    for (const id of ids) held.add(id);
    if (held.size > 0) found.set(channel, held);
  }
  return new Map(
    [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([channel, ids]) => [channel, [...ids].sort((a, b) => a - b)]),
  );
}

/** An XPath filter of the Event Log API holds at most about 23 expressions. */
const XPATH_TERMS_MAX = 20;

const WRITERS: Readonly<Record<SelectionFormat, (logs: LogIds) => string>> = {
  "wef-xpath"(logs) {
    const selects = [...logs].flatMap(([channel, ids]) =>
      chunks(ids, XPATH_TERMS_MAX).map(
        (part) =>
          `    <Select Path="${escapeXml(channel)}">*[System[(${part.map((id) => `EventID=${id}`).join(" or ")})]]</Select>`,
      ),
    );
    return `<QueryList>\n  <Query Id="0">\n${selects.join("\n")}\n  </Query>\n</QueryList>`;
  },
  winlogbeat(logs) {
    // One block per 21 ids: Winlogbeat turns event_id into such an XPath filter too.
    const blocks = [...logs].flatMap(([channel, ids]) =>
      chunks(ids, XPATH_TERMS_MAX).map(
        (part, i) =>
          `  - name: ${JSON.stringify(channel)}\n    id: ${JSON.stringify(`${channel}-${i}`)}\n    event_id: ${part.join(", ")}`,
      ),
    );
    return `winlogbeat.event_logs:\n${blocks.join("\n")}`;
  },
  nxlog(logs) {
    const selects = [...logs].flatMap(([channel, ids]) =>
      chunks(ids, XPATH_TERMS_MAX).map(
        (part) =>
          `            <Select Path="${escapeXml(channel)}">*[System[(${part.map((id) => `EventID=${id}`).join(" or ")})]]</Select>`,
      ),
    );
    return `<Input culprit>\n    Module  im_msvistalog\n    <QueryXML>\n        <QueryList>\n          <Query Id="0">\n${selects.join("\n")}\n          </Query>\n        </QueryList>\n    </QueryXML>\n</Input>`;
  },
  splunk(logs) {
    return [...logs]
      .map(
        ([channel, ids]) => `[WinEventLog://${channel}]\ndisabled = 0\nrenderXml = true\nwhitelist = ${ids.join(",")}`,
      )
      .join("\n\n");
  },
};

function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < all.length; i += size) parts.push(all.slice(i, i + size));
  return parts;
}
