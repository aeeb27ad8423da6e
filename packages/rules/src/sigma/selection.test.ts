import { foldHost, type HostId, namedData, type WindowsEvent } from "@culprit/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRules, eventSource, type RuleSelection, type Ruleset, selectionOf } from "./index.ts";
import { ruleText } from "./match.test-support.ts";

function rulesetOf(...detections: string[]): Ruleset {
  const files = detections.map((text, i) => ({ file: `${i}.yml`, text: ruleText(text, `title: r${i}\n`) }));
  return compileRules(files).ruleset as Ruleset;
}

function select(...detections: string[]): RuleSelection {
  return selectionOf(rulesetOf(...detections));
}

test("entries say which provider, channel, ids and texts a record must show", () => {
  const selection = select(
    "sel: { Provider_Name: disk, EventID: [153, 7] }\ncondition: sel",
    "sel: { Provider_Name: Disk, EventID: 51 }\ncondition: sel",
    "sel: { Channel: System }\nword: { Image|endswith: '\\\\cmd.exe', Line|contains: ['vssadmin delete', 'wbadmin'] }\ncondition: sel and word",
  );
  expect(selection.always).toBe(false);
  expect(selection.entries).toEqual([
    { providers: ["microsoft-windows-disk"], eventIds: [7, 51, 153] },
    { channels: ["system"], literals: ["vssadmin", "wbadmin"] },
  ]);
  expect(selection.wants("disk", "system", 7)).toBe(true);
  expect(selection.wants("ntfs", "application", 7)).toBe(false);
  expect(selection.wants(undefined, undefined, 7)).toBe(true);
  expect(selection.wants("ntfs", "system", 8)).toBe(true);
});

test("a rule that any record may match lets everything through", () => {
  const selection = select("sel: { EventID: 1 }\ncondition: sel", "sel: { F: null }\ncondition: not sel");
  expect(selection).toMatchObject({ always: true, entries: [] });
  expect(selection.wants("x", "y", 9)).toBe(true);
});

test("of kinds that no rule can match nothing is wanted, however it asks for them", () => {
  const selection = select(
    "sel: { Provider_Name|contains: [UPS, Eaton] }\ntext: { Text|contains: battery }\ncondition: sel and text",
    "a: { Channel|startswith: Sys, EventID: 7 }\nb: { event.code: [8, 9] }\nnot_c: { Provider_Name: disk }\ncondition: (a or b) and not not_c",
  );
  expect(selection.wants("apc ups service", "application", 174)).toBe(true);
  expect(selection.wants("msiinstaller", "application", 174)).toBe(false);
  expect(selection.wants("ntfs", "system", 7)).toBe(true);
  expect(selection.wants("ntfs", "application", 7)).toBe(false);
  expect(selection.wants("ntfs", "application", 9)).toBe(true);
  expect(selection.wants("microsoft-windows-disk", "system", 9)).toBe(false);
  expect(selection.wants(undefined, undefined, 174)).toBe(true);
});

test("derived values are no text of the record", () => {
  const ruleset = rulesetOf("sel: { EventID: 1001, BugcheckCode: '0x0000009e' }\ncondition: sel");
  expect(selectionOf(ruleset).entries[0]?.literals).toEqual(["0x0000009e"]);
  expect(selectionOf(ruleset, { derived: new Set(["BugcheckCode"]) }).entries).toEqual([{ eventIds: [1001] }]);
});

test("what a rule matches, the selection wants", () => {
  const item = fc.oneof(
    fc.constantFrom(
      "EventID: 1",
      "EventID: [2, 3]",
      "Provider_Name: disk",
      "Provider_Name|endswith: [sk, fs]",
      "Provider_Name|contains|cased: [D]",
      "event.code: 2",
      "Provider_Name: [ntfs, 'Microsoft-Windows-Disk']",
    ),
    fc.constantFrom(
      "Channel: System",
      "Channel|startswith: Sys",
      "Channel|re: '^S'",
      "Text|contains: 'long word'",
      "Text: 'Other thing'",
      "Text|re: 'lo+ngest'",
    ),
  );
  const selection = fc
    .uniqueArray(item, { minLength: 1, maxLength: 3, selector: (each) => each.split(/[|:]/)[0] })
    .map((items) => `{ ${items.join(", ")} }`);
  const detection = fc
    .tuple(selection, selection, fc.constantFrom("a and b", "a or b", "a and not b", "not a or b", "1 of them"))
    .map(([a, b, condition]) => `a: ${a}\nb: ${b}\ncondition: ${condition}`);
  const event = fc.record({
    provider: fc.constantFrom("disk", "Microsoft-Windows-Disk", "Ntfs", "other"),
    channel: fc.constantFrom("System", "Application"),
    eventId: fc.integer({ min: 1, max: 4 }),
    text: fc.constantFrom("a LONG word", "other thing", "the loooongest", "nothing"),
  });
  fc.assert(
    fc.property(
      fc.array(detection, { minLength: 1, maxLength: 3 }),
      event,
      (detections, { provider, channel, eventId, text }) => {
        const ruleset = rulesetOf(...detections);
        const host = foldHost("h") as HostId;
        const record: WindowsEvent = {
          provider,
          channel,
          eventId,
          computer: "h",
          host,
          level: 4,
          timeCreated: 0,
          timeQuality: "event",
          data: namedData([["Text", text]]),
        };
        let matched = false;
        ruleset.match(eventSource(record), () => {
          matched = true;
        });
        if (!matched) return;
        const wanted = selectionOf(ruleset);
        expect(wanted.wants(provider.toLowerCase(), channel.toLowerCase(), eventId)).toBe(true);
        const raw = `${provider} ${channel} ${text}`.toLowerCase();
        const fits = wanted.entries.some(
          (entry) =>
            (entry.eventIds?.includes(eventId) ?? true) &&
            (entry.literals?.some((literal) => raw.includes(literal)) ?? true),
        );
        expect(wanted.always || fits).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
