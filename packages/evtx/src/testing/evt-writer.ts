/** Writes classic `.evt` files, for tests. */

export interface EvtRecordSpec {
  readonly number?: number;
  readonly seconds?: number;
  readonly eventId?: number;
  readonly type?: number;
  readonly source?: string;
  readonly computer?: string;
  readonly sid?: readonly number[];
  readonly strings?: readonly string[];
  readonly data?: readonly number[];
}

const SIGNATURE = 0x654c_664c;

export function evtRecord(spec: EvtRecordSpec): Uint8Array {
  const { strings = [], sid = [], data = [] } = spec;
  const bytes: number[] = new Array(56).fill(0);
  const text = (value: string): void => {
    for (const character of `${value}\0`) bytes.push(character.charCodeAt(0) & 0xff, character.charCodeAt(0) >> 8);
  };
  text(spec.source ?? "Service Control Manager");
  text(spec.computer ?? "HV11");
  const sidAt = bytes.length;
  bytes.push(...sid);
  const stringsAt = bytes.length;
  for (const value of strings) text(value);
  const dataAt = bytes.length;
  bytes.push(...data);
  while (bytes.length % 4 !== 0) bytes.push(0);
  const size = bytes.length + 4;
  const record = new Uint8Array(size);
  record.set(bytes);
  const view = new DataView(record.buffer);
  const seconds = spec.seconds ?? 1_311_748_907;
  const fields: readonly (readonly [number, number])[] = [
    [0, size],
    [4, SIGNATURE],
    [8, spec.number ?? 1],
    [12, seconds],
    [16, seconds],
    [20, spec.eventId ?? 0x4000_1b7c],
    [36, stringsAt],
    [40, sid.length],
    [44, sidAt],
    [48, data.length],
    [52, dataAt],
    [size - 4, size],
  ];
  for (const [at, value] of fields) view.setUint32(at, value >>> 0, true);
  view.setUint16(24, spec.type ?? 4, true);
  view.setUint16(26, strings.length, true);
  return record;
}

/**
 * A log whose ring starts at `first` and goes on over the end of the file of `size` bytes. The space between the end record
 * and the first record is left as it is in `bytes`.
 */
export function evtFile(
  records: readonly Uint8Array[],
  { size, first = 0x30, flags = 0 }: { size: number; first?: number; flags?: number },
): Uint8Array {
  const file = new Uint8Array(size);
  let at = first;
  const put = (bytes: Uint8Array): void => {
    // A record's head is never split: too small a rest is filled up.
    if (size - at < 56) {
      for (; at < size; at += 4) file[at] = 0x27;
      at = 0x30;
    }
    const here = Math.min(bytes.length, size - at);
    file.set(bytes.subarray(0, here), at);
    file.set(bytes.subarray(here), 0x30);
    at = here < bytes.length ? 0x30 + bytes.length - here : at + here;
  };
  for (const record of records) put(record);
  const endAt = at;
  const end = new Uint8Array(0x28);
  const endView = new DataView(end.buffer);
  const words = [0x28, 0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444, first, endAt, records.length + 1, 1, 0x28];
  for (const [i, word] of words.entries()) endView.setUint32(i * 4, word, true);
  put(end);
  const view = new DataView(file.buffer);
  const header = [0x30, SIGNATURE, 1, 1, first, endAt, records.length + 1, 1, size, flags, 0, 0x30];
  for (const [i, word] of header.entries()) view.setUint32(i * 4, word, true);
  return file;
}
