/** Events as Windows lays them out, for tests. */
import {
  BASE_TIME,
  element,
  NULL_VALUE,
  type RecordSpec,
  type SpecNode,
  substitution,
  type TemplateSpec,
  type ValueSpec,
  value,
} from "./writer.ts";

const NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event";

/** Places of the values in `eventTemplate`, in the order that Windows uses. */
const VALUE_COUNT = 17;

/** The template of an event with a provider's name in it; `body` stands behind System and takes values from 17 on. */
export function eventTemplate(provider: string, ...body: readonly SpecNode[]): TemplateSpec {
  const optional = (index: number): SpecNode => substitution(index, true);
  return {
    root: [
      element(
        "Event",
        { xmlns: NAMESPACE },
        element(
          "System",
          {},
          element("Provider", { Name: provider, Guid: optional(15) }),
          element("EventID", { Qualifiers: optional(4) }, optional(3)),
          element("Version", {}, optional(11)),
          element("Level", {}, optional(0)),
          element("Task", {}, optional(2)),
          element("Opcode", {}, optional(1)),
          element("Keywords", {}, optional(5)),
          element("TimeCreated", { SystemTime: optional(6) }),
          element("EventRecordID", {}, optional(10)),
          element("Correlation", { ActivityID: optional(7), RelatedActivityID: optional(13) }),
          element("Execution", { ProcessID: optional(8), ThreadID: optional(9) }),
          element("Channel", {}, optional(16)),
          element("Computer", {}, "hv11.contoso.com"),
          element("Security", { UserID: optional(12) }),
        ),
        ...body,
      ),
    ],
  };
}

/** The values of System for `eventTemplate`, with those of the body behind. */
export function systemValues(
  { eventId = 7036, channel = "System", recordId = 1n }: { eventId?: number; channel?: string; recordId?: bigint } = {},
  ...body: readonly ValueSpec[]
): ValueSpec[] {
  const values: ValueSpec[] = new Array(VALUE_COUNT).fill(NULL_VALUE);
  values[0] = value.uint8(4);
  values[1] = value.uint8(0);
  values[2] = value.uint16(0);
  values[3] = value.uint16(eventId);
  values[4] = value.uint16(16_384);
  values[5] = value.hex64(0x8080_0000_0000_0000n);
  values[6] = value.fileTime(BASE_TIME);
  values[8] = value.uint32(620);
  values[9] = value.uint32(1_796);
  values[10] = value.uint64(recordId);
  values[11] = value.uint8(0);
  values[12] = value.localSystem;
  values[16] = value.text(channel);
  return [...values, ...body];
}

/** EventData as a template of its own, as events with a manifest have it. */
export function dataTemplate(...names: readonly string[]): TemplateSpec {
  return {
    root: [element("EventData", {}, ...names.map((name, i) => element("Data", { Name: name }, substitution(i))))],
  };
}

/** A service's change of state: named data in a nested template. */
export function serviceEvent(
  template: TemplateSpec,
  data: TemplateSpec,
  { recordId = 1n, eventId = 7036, values = ["Windows Update", "running"] as readonly string[] } = {},
): RecordSpec {
  return {
    id: recordId,
    template,
    values: systemValues({ eventId, recordId }, value.nested(data, values.map(value.text))),
  };
}
