/** What others made of the same files: Winlogbeat through Windows itself, evtx_dump through the Rust crate. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type EventRecord, readEvtx } from "./index.ts";

const CORPORA = fileURLToPath(new URL("../../../../shared/corpora/", import.meta.url));
const hasCorpora = existsSync(CORPORA);
if (!hasCorpora) console.log("left out: EVTX golden tests (no shared corpora beside the repository)");

function onlyRecord(path: string): EventRecord {
  const [item] = readEvtx(readFileSync(CORPORA + path));
  if (item?.ok !== true) throw new Error(`${path}: no record`);
  return item.record;
}

test.runIf(hasCorpora).each(["security-1100", "security-1104"])("%s is what Windows showed Winlogbeat", (name) => {
  const folder = "elastic-beats/xpack-golden";
  const [golden] = JSON.parse(readFileSync(`${CORPORA}${folder}/${name}.golden.json`, "utf8"));
  const record = onlyRecord(`${folder}/${name}.evtx`);
  expect({
    "@timestamp": record.timeText,
    channel: record.channel,
    computer_name: record.computer,
    event_id: String(record.eventId),
    pid: record.processId,
    thread: record.threadId,
    provider_guid: record.guid,
    provider_name: record.provider,
    record_id: Number(record.recordId),
  }).toEqual({
    "@timestamp": golden["@timestamp"],
    channel: golden.winlog.channel,
    computer_name: golden.winlog.computer_name,
    event_id: golden.winlog.event_id,
    pid: golden.winlog.process.pid,
    thread: golden.winlog.process.thread.id,
    provider_guid: golden.winlog.provider_guid,
    provider_name: golden.winlog.provider_name,
    record_id: golden.winlog.record_id,
  });
});

test
  .runIf(hasCorpora)
  .each([
    "7595ba94-cf3b-4471-aa03-4f6baa9e5fad",
    "9e3cb244-bdb8-4632-8c90-6079c8f4f16d",
    "d4f1a2b3-7c8e-4d5f-b6a9-1e0c2d3f4e5b",
  ])("%s has the data that evtx_dump shows", (name) => {
  const golden = JSON.parse(readFileSync(`${CORPORA}SigmaHQ-regression/${name}.json`, "utf8")).Event;
  const record = onlyRecord(`SigmaHQ-regression/${name}.evtx`);
  const shown = golden.EventData ?? Object.values(golden.UserData)[0];
  const expected = Object.entries(shown).filter(([key]) => key !== "#attributes");
  expect(record.data.names.map((key, i) => [key, record.data.values[i]])).toEqual(
    expected.map(([key, value]) => [key, String(value)]),
  );
  expect(record.dataElement).toBe(golden.EventData === undefined ? Object.keys(golden.UserData)[0] : undefined);
  expect(record.userId).toBe(golden.System.Security?.["#attributes"].UserID);
});
