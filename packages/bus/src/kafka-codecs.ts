/**
 * The three codecs kafkajs does not bring: snappy and lz4 in JavaScript (to read what others wrote), zstd from Node's zlib.
 * gzip is its own. Source: Kafka's record batch, attributes bits 0-2; xerial's snappy-java framing; LZ4 frames.
 */
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import lz4 from "lz4js";
import snappy from "snappyjs";

export interface Codec {
  compress(records: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(records: Buffer): Promise<Buffer>;
}

/** What one batch may unpack to; a larger one was not written by us. */
const UNPACKED_MAX_BYTES = 256 * 1024 * 1024;
/** The fastest levels already take events down to a tenth. */
const ZSTD_LEVEL = 1;

const pack = promisify(zstdCompress);
const unpack = promisify(zstdDecompress);

export const zstdCodec: Codec = {
  compress: ({ buffer }) => pack(buffer, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
  decompress: (records) => unpack(records, { maxOutputLength: UNPACKED_MAX_BYTES }),
};

export const lz4Codec: Codec = {
  compress: async ({ buffer }) => Buffer.from(lz4.compress(buffer)),
  decompress: async (records) => Buffer.from(lz4.decompress(records)),
};

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version, compatible version. */
const XERIAL_HEADER_BYTES = 16;

export const snappyCodec: Codec = {
  compress: async ({ buffer }) => Buffer.from(snappy.compress(buffer)),
  decompress: async (records) => {
    if (!records.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return unsnap(records);
    const blocks: Buffer[] = [];
    for (let at = XERIAL_HEADER_BYTES; at + 4 <= records.length; ) {
      const length = records.readUInt32BE(at);
      if (length > records.length - at - 4) throw new RangeError("a snappy block ends early");
      blocks.push(unsnap(records.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return Buffer.concat(blocks);
  },
};

function unsnap(block: Buffer): Buffer {
  return Buffer.from(snappy.uncompress(block, UNPACKED_MAX_BYTES));
}
