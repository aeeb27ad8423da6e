/** The quick way and the plain way give the same record. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChunkContent, readChunk } from "./chunk.ts";
import { decodePlain } from "./decode.ts";
import type { EventRecord } from "./record.ts";
import { dataTemplate, eventTemplate, systemValues } from "./testing/events.ts";
import { plainRecord } from "./testing/plain.ts";
import {
  ChunkWriter,
  element,
  NULL_VALUE,
  type SpecNode,
  substitution,
  type TemplateSpec,
  token,
  type ValueSpec,
  value,
} from "./testing/writer.ts";

const names = fc.constantFrom("Data", "Binary", "ComplexData", "Param1", "x:y", "__proto__");
const texts = fc.string({ maxLength: 6 });

const scalars: fc.Arbitrary<ValueSpec> = fc.oneof(
  fc.constant(NULL_VALUE),
  texts.map(value.text),
  texts.map((text) => value.texts(...text.replaceAll("\0", ""))),
  fc.nat(255).map(value.uint8),
  fc.nat(65_535).map(value.uint16),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(value.hex64),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => value.binary(...bytes)),
  fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 20 })).map(([type, bytes]) => value.raw(type & ~0x21, bytes)),
);

const contents: fc.Arbitrary<SpecNode> = fc.oneof(
  texts,
  fc.tuple(fc.nat(6), fc.boolean()).map(([index, optional]) => substitution(index, optional)),
  texts.map(token.cdata),
  fc.constant(token.instruction("target", "data")),
);

const { field } = fc.letrec<{ field: SpecNode }>((tie) => ({
  field: fc
    .tuple(
      names,
      fc.dictionary(fc.constantFrom("Name", "xmlns", "value"), fc.array(contents, { minLength: 1, maxLength: 2 }), {
        maxKeys: 2,
      }),
      fc.oneof(
        { depthSize: "small" },
        fc.array(contents, { maxLength: 2 }),
        fc.array(tie("field"), { minLength: 1, maxLength: 3 }),
      ),
    )
    .map(([name, attributes, children]) => element(name, textual(attributes), ...children)),
}));

/** Attributes hold no instructions. */
function textual(attributes: Readonly<Record<string, readonly SpecNode[]>>): Record<string, readonly SpecNode[]> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, parts]) => [name, parts.filter((part) => !isInstruction(part))]),
  );
}

function isInstruction(node: SpecNode): boolean {
  return typeof node !== "string" && "write" in node;
}

const sections = fc
  .tuple(fc.constantFrom("EventData", "UserData"), fc.array(field, { maxLength: 4 }))
  .map(([name, fields]) => element(name, {}, ...fields));

test("any section of any shape, in place, nested or inside, is read alike", () => {
  fc.assert(
    fc.property(
      sections,
      fc.array(scalars, { maxLength: 7 }),
      fc.constantFrom("here", "nested", "inside", "fragment"),
      (section, values, place) => {
        const [event, body] = placed(section, values, place);
        const writer = new ChunkWriter();
        writer.record({ template: event, values: systemValues({}, ...body) });
        writer.record({ template: event, values: systemValues({ eventId: 1 }, ...body) });
        const chunk = writer.finish();
        const { items } = readChunk(chunk, 0);
        expect(items).toHaveLength(2);
        for (const item of items) {
          if (!item.ok) throw new Error(item.failure.detail);
          expect(item.record).toEqual(plainRecord(item.record));
        }
      },
    ),
    { numRuns: 400 },
  );
});

type ElementNode = ReturnType<typeof element>;

function placed(section: ElementNode, values: readonly ValueSpec[], place: string): [TemplateSpec, ValueSpec[]] {
  const body = substitution(17, true);
  switch (place) {
    case "here":
      // Values of the section count from 0 and so name those of System here, which is as good.
      return [eventTemplate("Test", section), []];
    case "nested":
      return [eventTemplate("Test", body), [value.nested({ root: [section] }, values)]];
    case "inside":
      return [
        eventTemplate("Test", element(section.name, {}, body)),
        [value.nested({ root: section.children }, values)],
      ];
    default:
      return [eventTemplate("Test", body), [value.fragment(section)]];
  }
}

test("any values of System are read alike", () => {
  fc.assert(
    fc.property(fc.array(scalars, { minLength: 17, maxLength: 18 }), (values) => {
      const writer = new ChunkWriter();
      writer.record({ template: eventTemplate("Test", substitution(17, true)), values });
      for (const item of readChunk(writer.finish(), 0).items) {
        if (item.ok) expect(item.record).toEqual(plainRecord(item.record));
      }
    }),
    { numRuns: 400 },
  );
});

test("a selection gives every record that the full reading would have chosen, and counts the others", () => {
  const kinds = fc.record({
    eventId: fc.integer({ min: 1, max: 3 }),
    channel: fc.constantFrom("System", "Application"),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(kinds, fc.dictionary(fc.constantFrom("0", "3", "10", "16"), scalars, { maxKeys: 1 })), {
        maxLength: 12,
      }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom("System", "Application"),
      (specs, wantedId, wantedChannel) => {
        const writer = new ChunkWriter();
        for (const [kind, changes] of specs) {
          const values = systemValues(kind, NULL_VALUE);
          for (const [index, changed] of Object.entries(changes)) values[Number(index)] = changed;
          writer.record({ template: SHARED, values });
        }
        const chunk = writer.finish();
        const select = (_: string, eventId: number, channel: string): boolean =>
          eventId === wantedId || channel === wantedChannel;
        const all = recordsOf(readChunk(chunk, 0));
        const wanted = all.filter((record) => select("", record.eventId, record.channel));
        const selected = readChunk(chunk, 0, { select });
        const given = new Set(recordsOf(selected).map((record) => record.offset));
        expect(wanted.filter((record) => !given.has(record.offset))).toEqual([]);
        const counted = selected.skipped.reduce((sum, { count }) => sum + count, 0);
        expect(counted + given.size).toBe(all.length);
      },
    ),
    { numRuns: 300 },
  );
});

const SHARED = eventTemplate("Test", substitution(17, true));

function recordsOf({ items }: ChunkContent): EventRecord[] {
  return items.flatMap((item) => (item.ok ? [item.record] : []));
}

test("the plain way is another way: it reads without any program", () => {
  const writer = new ChunkWriter();
  const data = dataTemplate("a");
  writer.record({
    template: eventTemplate("T", substitution(17)),
    values: systemValues({}, value.nested(data, [value.text("1")])),
  });
  const [item] = readChunk(writer.finish(), 0).items;
  if (item?.ok !== true || item.record.source === undefined) throw new Error("no record");
  const { record } = item;
  const stored = { offset: 1, storedId: "2", low: 3, high: 4, isRecovered: false, source: item.record.source };
  expect(decodePlain(item.record.source.chunk, stored)).toMatchObject({ offset: 1, storedId: "2", data: record.data });
});
