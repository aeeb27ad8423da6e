import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EvtxItem, isEvtx, readEvtx, readFileHeader, type SkippedRecords, toXml } from "./index.ts";
import { dataTemplate, eventTemplate, serviceEvent } from "./testing/events.ts";
import { CHUNK, ChunkWriter, fileOf, substitution } from "./testing/writer.ts";

const SERVICE = eventTemplate("Service Control Manager", substitution(17, true));
const PARAMETERS = dataTemplate("param1", "param2");

function chunkOf(firstId: bigint, count: number): Uint8Array {
  const writer = new ChunkWriter(firstId);
  for (let i = 0n; i < count; i += 1n) writer.record(serviceEvent(SERVICE, PARAMETERS, { recordId: firstId + i }));
  return writer.finish();
}

function ids(items: Iterable<EvtxItem>): string[] {
  const found: string[] = [];
  for (const item of items) found.push(item.ok ? item.record.recordId : item.failure.reason);
  return found;
}

describe("a file", () => {
  test("says in its header how it stands", () => {
    const file = fileOf(chunkOf(1n, 2));
    expect(isEvtx(file)).toBe(true);
    expect(readFileHeader(file)).toMatchObject({
      majorVersion: 3,
      minorVersion: 1,
      chunkCount: 1,
      isDirty: false,
      isChecksumRight: true,
    });
    expect(readFileHeader(new Uint8Array(4_096))).toBeUndefined();
  });

  test("gives the records of all chunks, oldest first, where a full log has begun anew", () => {
    const file = fileOf(chunkOf(5n, 2), chunkOf(1n, 2), chunkOf(3n, 2));
    expect(ids(readEvtx(file))).toEqual(["1", "2", "3", "4", "5", "6"]);
  });

  test("whose header counts too few chunks is read to its end", () => {
    const file = fileOf(chunkOf(1n, 1), chunkOf(2n, 1));
    new DataView(file.buffer).setUint16(42, 1, true);
    expect(ids(readEvtx(file))).toEqual(["evtx.file-header", "1", "2"]);
  });

  test("with a header that is no header is told and read", () => {
    const file = fileOf(chunkOf(1n, 1));
    file.fill(0x41, 0, 128);
    expect(ids(readEvtx(file))).toEqual(["evtx.file-header", "1"]);
  });

  test("with a wrong header checksum is told and read, unless checksums are off or not kept", () => {
    const file = fileOf(chunkOf(1n, 1));
    file[24] = 99;
    expect(ids(readEvtx(file))).toEqual(["evtx.file-header", "1"]);
    expect(ids(readEvtx(file, { crc32: false }))).toEqual(["1"]);
    file[120] = 4;
    expect(ids(readEvtx(file))).toEqual(["1"]);
  });

  test("with a block that is no chunk loses that block alone", () => {
    const file = fileOf(chunkOf(1n, 1), new Uint8Array(CHUNK).fill(9), chunkOf(2n, 1));
    expect(ids(readEvtx(file))).toEqual(["1", "evtx.chunk-magic", "2"]);
  });

  test("may hold empty blocks ahead of its end, which are no failure", () => {
    expect(ids(readEvtx(fileOf(chunkOf(1n, 1), new Uint8Array(CHUNK))))).toEqual(["1"]);
  });

  test("of chunks alone, without any header, is read", () => {
    expect(ids(readEvtx(chunkOf(4n, 2)))).toEqual(["evtx.file-header", "4", "5"]);
  });

  test("of no bytes holds nothing", () => {
    expect(ids(readEvtx(new Uint8Array()))).toEqual([]);
  });

  test("tells what the selection left out of each chunk", () => {
    const told: SkippedRecords[] = [];
    const options = { select: () => false, onSkipped: (skipped: readonly SkippedRecords[]) => told.push(...skipped) };
    expect(ids(readEvtx(fileOf(chunkOf(1n, 3), chunkOf(4n, 2)), options))).toEqual([]);
    expect(told.map(({ firstId, lastId, count }) => [firstId, lastId, count])).toEqual([
      ["1", "3", 3],
      ["4", "5", 2],
    ]);
  });
});

describe("whatever the bytes", () => {
  /** Reads everything there is to read, and renders it. */
  function exhaust(bytes: Uint8Array): number {
    let count = 0;
    for (const recover of [false, true]) {
      for (const item of readEvtx(bytes, { recover })) {
        count += 1;
        if (item.ok) expect(toXml(item.record).startsWith("<")).toBe(true);
        else expect(item.failure.offset).toBeLessThan(bytes.length);
      }
    }
    return count;
  }

  const sound = fileOf(chunkOf(1n, 6));

  test("random bytes are read without a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 10_000 }), (bytes) => exhaust(bytes) >= 0));
  });

  test("random bytes behind a sound head of a chunk are read without a fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 600, maxLength: 3_000 }), (bytes) => {
        const file = sound.slice();
        file.set(bytes, 4_096 + 512 + 24);
        return exhaust(file) >= 0;
      }),
    );
  });

  test("a sound file with some bytes changed is read without a fault", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 4_096 + 2_600 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const file = sound.slice();
        for (const [at, byte] of changes) file[at] = byte;
        return exhaust(file) >= 0;
      }),
      { numRuns: 1_500 },
    );
  });

  test("a sound file with some 32-bit numbers changed to likely ones is read without a fault", () => {
    const likely = fc.oneof(fc.nat(3_000), fc.constantFrom(0, 0xffff, 0x1_0000, 0xffff_ffff, 0x7fff_ffff));
    const change = fc.tuple(fc.integer({ min: 4_096, max: 4_096 + 2_600 }), likely);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const file = sound.slice();
        const view = new DataView(file.buffer);
        for (const [at, n] of changes) view.setUint32(at, n, true);
        return exhaust(file) >= 0;
      }),
      { numRuns: 1_500 },
    );
  });

  test("a file cut anywhere is read without a fault", () => {
    fc.assert(fc.property(fc.nat(4_096 + 2_600), (length) => exhaust(sound.subarray(0, length)) >= 0));
  });

  test("a view into a larger buffer is read as if it stood alone", () => {
    const larger = new Uint8Array(sound.length + 13);
    larger.set(sound, 13);
    expect(ids(readEvtx(larger.subarray(13)))).toEqual(ids(readEvtx(sound)));
  });
});
