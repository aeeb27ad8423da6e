/** Records for the services: logons of many hosts, as few of them wanted as in a real feed, and senders that do not wait for each other. */
import { isoOf } from "@culprit/model";

const RECORDS_IN_BODY = 1_000;
const HOSTS = 2_000;

export interface Feed {
  /** Which records some playbook wants: one in so many. */
  readonly wantedEvery: number;
}

export interface Accepted {
  readonly records: number;
  readonly refused: number;
  readonly seconds: number;
}

let next = 0;

/** A body for `/_bulk` whose record ids no other body has. */
function bodyOf({ wantedEvery }: Feed): string {
  const at = isoOf(Date.now());
  let body = "";
  for (let i = 0; i < RECORDS_IN_BODY; i += 1) {
    next += 1;
    const host = `srv${next % HOSTS}.contoso.example`;
    const record = Math.floor(next / HOSTS) + 1;
    body += next % wantedEvery === 0 ? retried(at, host, record) : logon(at, host, record);
  }
  return body;
}

const ACTION = '{"create":{"_index":"winlogbeat"}}\n';

function logon(at: string, host: string, record: number): string {
  return `${ACTION}{"@timestamp":"${at}","event":{"code":"4624","kind":"event","provider":"Microsoft-Windows-Security-Auditing","created":"${at}"},"host":{"name":"${host}"},"log":{"level":"information"},"message":"An account was successfully logged on.","winlog":{"channel":"Security","provider_name":"Microsoft-Windows-Security-Auditing","event_id":"4624","record_id":${record},"computer_name":"${host}","api":"wineventlog","event_data":{"SubjectUserSid":"S-1-5-18","TargetUserName":"user${record % 977}","LogonType":"3","IpAddress":"10.1.4.9","WorkstationName":"-"}}}\n`;
}

function retried(at: string, host: string, record: number): string {
  return `${ACTION}{"@timestamp":"${at}","event":{"code":"153","kind":"event","provider":"disk","created":"${at}"},"host":{"name":"${host}"},"log":{"level":"warning"},"message":"The IO operation at logical block address 0x99 for Disk 1 was retried.","winlog":{"channel":"System","provider_name":"disk","event_id":"153","record_id":${record},"computer_name":"${host}","api":"wineventlog","event_data":{"param1":"\\\\Device\\\\Harddisk1\\\\DR1","param2":"0x99","param3":"1"}}}\n`;
}

/** Sends as fast as it is taken, or at a rate. Units: `recordsPerSecond`. */
export async function sendFor(
  urls: readonly string[],
  feed: Feed,
  options: { readonly seconds?: number; readonly records?: number; readonly recordsPerSecond?: number },
): Promise<Accepted> {
  const { seconds = Number.POSITIVE_INFINITY, records = Number.POSITIVE_INFINITY, recordsPerSecond } = options;
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1_000;
  let begun = 0;
  let accepted = 0;
  let refused = 0;
  const sender = async (url: string): Promise<void> => {
    while (elapsed() < seconds && begun < records) {
      const dueIn = recordsPerSecond === undefined ? 0 : begun / recordsPerSecond - elapsed();
      begun += RECORDS_IN_BODY;
      if (dueIn > 0) await new Promise((resolve) => setTimeout(resolve, dueIn * 1_000));
      const headers = { "content-type": "application/x-ndjson" };
      const response = await fetch(`${url}/_bulk`, { method: "POST", headers, body: bodyOf(feed) });
      await response.arrayBuffer();
      if (response.status === 200) accepted += RECORDS_IN_BODY;
      else refused += RECORDS_IN_BODY;
    }
  };
  await Promise.all(urls.flatMap((url) => [sender(url), sender(url)]));
  return { records: accepted, refused, seconds: elapsed() };
}
