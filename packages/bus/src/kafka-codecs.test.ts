import fc from "fast-check";
import snappy from "snappyjs";
import { expect, test } from "vitest";
import { lz4Codec, snappyCodec, zstdCodec } from "./kafka-codecs.ts";

const CODECS = { lz4: lz4Codec, snappy: snappyCodec, zstd: zstdCodec };

test.each(Object.entries(CODECS))("%s gives back what it took", async (_, codec) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.nat(20), async (bytes, repeats) => {
      const buffer = Buffer.concat(Array.from({ length: repeats }, () => bytes));
      expect(await codec.decompress(await codec.compress({ buffer }))).toEqual(buffer);
    }),
    { numRuns: 50 },
  );
});

test("snappy in the blocks that Java clients write is read", async () => {
  const blocks = ["first ", "second"].map((text) => Buffer.from(snappy.compress(Buffer.from(text))));
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  const whole = Buffer.concat([header, ...framed]);
  expect((await snappyCodec.decompress(whole)).toString()).toBe("first second");
  await expect(snappyCodec.decompress(whole.subarray(0, -1))).rejects.toThrow(RangeError);
});

test("a zstd batch that unpacks to more than we ever write is refused", async () => {
  const bomb = await zstdCodec.compress({ buffer: Buffer.alloc(257 * 1024 * 1024) });
  expect(bomb.length).toBeLessThan(100_000);
  await expect(zstdCodec.decompress(bomb)).rejects.toThrow();
});
