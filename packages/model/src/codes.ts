/**
 * Codes as Windows shows them. They are numbers; text around them is in any language, with or without `0x`, padding and
 * thousands marks. A code that cannot be read is `undefined`, never a wrong code.
 */

/** `0x9E`: upper case without padding, as bugchecks are spoken of. */
export function bugcheckText(code: number): string {
  return `0x${code.toString(16).toUpperCase()}`;
}

/** `0x800423F3`: eight upper-case digits, as HRESULT and NTSTATUS are written. */
export function statusText(code: number): string {
  return `0x${(code >>> 0).toString(16).toUpperCase().padStart(8, "0")}`;
}

const BUGCHECK =
  /0x([0-9a-f]{1,8})\s*\(\s*(0x[0-9a-f]{1,16})\s*[,;]\s*(0x[0-9a-f]{1,16})\s*[,;]\s*(0x[0-9a-f]{1,16})\s*[,;]\s*(0x[0-9a-f]{1,16})\s*\)/i;

export interface BugcheckCode {
  readonly code: number;
  readonly parameters: readonly [bigint, bigint, bigint, bigint];
}

/** Reads `0x0000009e (0x…, 0x…, 0x…, 0x…)` anywhere in a text. Source: event 1001, FORMATS "Bugcheck fields". */
export function readBugcheck(text: string): BugcheckCode | undefined {
  const match = BUGCHECK.exec(text);
  if (match === null) return undefined;
  const parameter = (n: number): bigint => BigInt(match[n] as string);
  return {
    code: Number.parseInt(match[1] as string, 16),
    parameters: [parameter(2), parameter(3), parameter(4), parameter(5)],
  };
}

const STATUS = /(?<![0-9a-z_{-])(?:0x)?([8c][0-9a-f]{7})(?![0-9a-z_}-])/gi;

/** Every HRESULT or NTSTATUS of error severity in a text, in order, each once. */
export function readStatusCodes(text: string): readonly number[] {
  const found = new Set<number>();
  for (const match of text.matchAll(STATUS)) {
    const digits = match[1] as string;
    // Eight bare digits without a letter are as likely a date or a size; only `0x` or a hex letter makes them a code.
    if (match[0].length === digits.length && !/[a-f]/i.test(digits)) continue;
    found.add(Number.parseInt(digits, 16));
  }
  return [...found];
}

const DECIMAL = /(?<![\w.,:/\\-])(-?\d{9,10})(?![\w.,:/\\-])/g;
/** HRESULTs that wrap a Win32 error, `0x8007xxxx`. */
const WIN32_FACILITY = 0x8007;

/**
 * HRESULTs and NTSTATUSes of error severity written as decimal numbers, in order, each once: `-2147024784`, `2147942512`.
 * Without a sign such a number may as well be a size, so only a code that `isKnown`, or one that wraps a Win32 error, counts.
 */
export function readDecimalCodes(text: string, isKnown: (code: number) => boolean): readonly number[] {
  const found = new Set<number>();
  for (const match of text.matchAll(DECIMAL)) {
    const value = Number(match[1]);
    if (value < -0x8000_0000 || value > 0xffff_ffff) continue;
    const code = value >>> 0;
    const severity = code >>> 28;
    if (severity !== 0x8 && severity !== 0xc) continue;
    if (value < 0 || code >>> 16 === WIN32_FACILITY || isKnown(code)) found.add(code);
  }
  return [...found];
}
