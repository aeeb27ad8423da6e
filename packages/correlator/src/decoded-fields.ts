/**
 * Codes read out of an event, as fields that detections can ask for: `Decoded.Bugcheck` (`0x9E`) with `Decoded.Arg1` to
 * `Decoded.Arg4` (`Decoded.Arg1Number` in decimal), `Decoded.BugcheckName`, `Decoded.BugcheckFamily`; `Decoded.Status` (every HRESULT and NTSTATUS in data or
 * message, `0x800423F3`), `Decoded.StatusName`; `Decoded.Text`, all values and the message; `Decoded.ClockShift`, seconds
 * between `OldTime` and `NewTime`, without a sign, and `Decoded.ClockShiftTo`, `forward` or `back`; shares of memory, see
 * `memory-share.ts`. Codes are numbers, so the language of the text does not matter.
 */
import {
  bugcheckText,
  dataEntries,
  dataValue,
  providerKey,
  readBugcheck,
  readDecimalCodes,
  readStatusCodes,
  statusText,
  type WindowsEvent,
} from "@culprit/model";
import type { CodeTables } from "@culprit/rules";
import { memoryShares } from "./memory-share.ts";

const PREFIX = "Decoded.";
const TEXT_MAX = 16_384;

/** The codes of one event, read when a rule first asks for one; most events are never asked. */
export class DecodedFields {
  private readonly event: WindowsEvent;
  private readonly tables: CodeTables;
  private fields: Map<string, string | readonly string[]> | undefined;

  constructor(event: WindowsEvent, tables: CodeTables) {
    this.event = event;
    this.tables = tables;
  }

  get(name: string): string | readonly string[] | undefined {
    return name.startsWith(PREFIX) ? this.read().get(name) : undefined;
  }

  values(): MapIterator<string | readonly string[]> {
    return this.read().values();
  }

  private read(): Map<string, string | readonly string[]> {
    this.fields ??= readFields(this.event, this.tables);
    return this.fields;
  }
}

const BUGCHECK_PROVIDERS = new Set(["microsoft-windows-wer-systemerrorreporting", "microsoft-windows-kernel-power"]);

function readFields(event: WindowsEvent, tables: CodeTables): Map<string, string | readonly string[]> {
  const fields = new Map<string, string | readonly string[]>();
  const provider = providerKey(event.provider);
  if (BUGCHECK_PROVIDERS.has(provider)) addBugcheck(fields, event, provider, tables);
  addStatuses(fields, event, tables);
  if (provider === "microsoft-windows-kernel-general") addClockShift(fields, event);
  if (provider === "microsoft-windows-resource-exhaustion-detector")
    for (const [name, share] of memoryShares(event.data)) fields.set(name, share);
  fields.set("Decoded.Text", textOf(event, tables));
  return fields;
}

/**
 * Data and message in one text, for what is the same whichever of them a forwarder delivers. A code that stands there as a
 * decimal number stands at the end as Windows shows it, too.
 */
function textOf(event: WindowsEvent, tables: CodeTables): string {
  const texts = textsOf(event);
  const codes = new Set(texts.flatMap((text) => decimalCodes(text, tables)));
  return [texts.join("\n").slice(0, TEXT_MAX), ...[...codes].map(statusText)].join("\n");
}

function addBugcheck(
  fields: Map<string, string | readonly string[]>,
  event: WindowsEvent,
  provider: string,
  tables: CodeTables,
): void {
  const read = provider === "microsoft-windows-kernel-power" ? kernelPower(event) : reported(event);
  if (read === undefined) return;
  fields.set("Decoded.Bugcheck", bugcheckText(read.code));
  read.parameters.forEach((parameter, i) => {
    fields.set(`Decoded.Arg${i + 1}`, `0x${parameter.toString(16).toUpperCase()}`);
    fields.set(`Decoded.Arg${i + 1}Number`, parameter.toString());
  });
  const row = tables.bugchecks.get(read.code);
  if (row === undefined) return;
  fields.set("Decoded.BugcheckName", row.name);
  fields.set("Decoded.BugcheckFamily", row.family);
}

const CLOCK_FIELDS = ["NewTime", "OldTime"];

/** How far the clock was moved: Kernel-General 1 gives both times, but no difference before Windows 10. */
function addClockShift(fields: Map<string, string | readonly string[]>, event: WindowsEvent): void {
  const [from, to] = ["OldTime", "NewTime"].map((name) => instantOf(dataValue(event.data, name, CLOCK_FIELDS)));
  if (from === undefined || to === undefined) return;
  fields.set("Decoded.ClockShift", String(Math.round(Math.abs(to - from) / 1000)));
  fields.set("Decoded.ClockShiftTo", to < from ? "back" : "forward");
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?Z?$/;

/** `2026-03-10T02:00:00.000000000Z`, as event data writes an instant; UTC where nothing is said. */
function instantOf(text: string | undefined): number | undefined {
  const match = INSTANT.exec(text?.trim() ?? "");
  const at = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`);
  return Number.isNaN(at) ? undefined : at;
}

interface ReadCode {
  readonly code: number;
  readonly parameters: readonly bigint[];
}

/** 1001: `0x0000009e (0x…, 0x…, 0x…, 0x…)` in param1, else in the message of any language. */
function reported(event: WindowsEvent): ReadCode | undefined {
  return readBugcheck(dataValue(event.data, "param1") ?? "") ?? readBugcheck(event.message ?? "");
}

/** Kernel-Power 41: BugcheckCode is decimal (158 is 0x9E); the parameters are hex. */
function kernelPower(event: WindowsEvent): ReadCode | undefined {
  const code = dataValue(event.data, "BugcheckCode");
  if (code === undefined || !/^(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(code.trim())) return undefined;
  const parameters: bigint[] = [];
  for (let n = 1; n <= 4; n += 1) {
    const text = dataValue(event.data, `BugcheckParameter${n}`)?.trim() ?? "";
    if (!/^(?:0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)) return { code: Number(code), parameters };
    parameters.push(BigInt(text));
  }
  return { code: Number(code), parameters };
}

function addStatuses(fields: Map<string, string | readonly string[]>, event: WindowsEvent, tables: CodeTables): void {
  const codes = new Set<number>();
  for (const [, value] of dataEntries(event.data)) for (const code of readStatusCodes(value)) codes.add(code);
  if (event.message !== undefined) for (const code of readStatusCodes(event.message)) codes.add(code);
  for (const text of textsOf(event)) for (const code of decimalCodes(text, tables)) codes.add(code);
  if (codes.size === 0) return;
  fields.set("Decoded.Status", [...codes].map(statusText));
  const names = [...codes].flatMap((code) => tables.statuses.get(code)?.symbol ?? []);
  if (names.length > 0) fields.set("Decoded.StatusName", names);
}

function decimalCodes(text: string, tables: CodeTables): readonly number[] {
  return readDecimalCodes(text, (code) => tables.statuses.has(code));
}

function textsOf(event: WindowsEvent): string[] {
  const texts = [...dataEntries(event.data)].filter(([name]) => name !== "Binary").map(([, value]) => value);
  return event.message === undefined ? texts : [...texts, event.message];
}
