/**
 * Lines of text logs that bring their own time: failover clustering, Windows setup and servicing, deployment (CMTrace),
 * and Data Protection Manager. A line in; level, time and process out.
 *
 * Source: FORMATS.md sections 16 and 17; corpora/ms-supportarticles and corpora/pasted-in-issues for cluster.log. The
 * shapes of BDD.log and of DPM's errlog are those of the products' documentation.
 */
export interface LogLine {
  readonly level: number;
  /** As `readTime` takes it. */
  readonly time: string;
  /** The stamp is UTC or names its zone; else it is the machine's local time. */
  readonly zoned: boolean;
  readonly processId?: number;
  readonly threadId?: number;
}

const CLUSTER =
  /^\s{0,4}([0-9a-f]{4,8})\.([0-9a-f]{4,8})::(\d{4})\/(\d{2})\/(\d{2})-(\d{2}:\d{2}:\d{2}\.\d{3})\s{1,8}(\w{2,5})\b/i;
const SETUP = /^\s{0,4}(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:[:.,]\d{1,3})?,\s{0,4}(\w{4,8}(?: Error)?)\s/;
const CMTRACE_START = "<![LOG[";
const CMTRACE =
  /\]LOG\]!><time="(\d{1,2}:\d{2}:\d{2})(\.\d{1,3})?([+-]\d{1,4})?" date="(\d{1,2})-(\d{1,2})-(\d{4})"[^>]{0,300}?type="(\d)"/;
/** `0D5C<TAB>1C70<TAB>03/11<TAB>09:12:33.123<TAB>27<TAB>file.cpp(123)…<TAB>WARNING<TAB>text`. */
const DPM = /^([0-9A-F]{2,8})\t([0-9A-F]{2,8})\t(\d{2}\/\d{2})\t(\d{2}:\d{2}:\d{2}\.\d{3})\t/i;
const DPM_LEVEL = /\t(FATAL|CRITICAL|ERROR|WARNING|NORMAL|ACTIVITY)\t/;

const LEVELS: Readonly<Record<string, number>> = {
  crit: 1,
  critical: 1,
  "fatal error": 1,
  fatal: 1,
  err: 2,
  error: 2,
  warn: 3,
  warning: 3,
  dbg: 5,
  perf: 5,
};

function levelOf(word: string): number {
  return LEVELS[word.toLowerCase()] ?? 4;
}

/** Whether a line brings its own time, and so begins a record of a text log. */
export function isLogLine(line: string): boolean {
  return CLUSTER.test(line) || SETUP.test(line) || line.startsWith(CMTRACE_START) || DPM.test(line);
}

/** Reads the stamp of a line, or of the record it begins; `undefined` for a line without one. */
export function readLogLine(text: string): LogLine | undefined {
  return clusterLine(text) ?? setupLine(text) ?? cmtraceLine(text) ?? dpmLine(text);
}

/** cluster.log is UTC unless it was made with `-UseLocalTime`, which its lines do not say. */
function clusterLine(text: string): LogLine | undefined {
  const match = CLUSTER.exec(text);
  if (match === null) return undefined;
  const [, pid, tid, year, month, day, time, level] = match as unknown as readonly string[];
  return {
    level: levelOf(level ?? ""),
    time: `${year}-${month}-${day}T${time}Z`,
    zoned: true,
    processId: Number.parseInt(pid ?? "", 16),
    threadId: Number.parseInt(tid ?? "", 16),
  };
}

function setupLine(text: string): LogLine | undefined {
  const match = SETUP.exec(text);
  if (match === null) return undefined;
  return { level: levelOf(match[2] as string), time: match[1] as string, zoned: false };
}

/** CMTrace's bias counts minutes to add to local time for UTC; `+000` is what MDT writes whatever the zone is. */
function cmtraceLine(text: string): LogLine | undefined {
  if (!text.startsWith(CMTRACE_START)) return undefined;
  const match = CMTRACE.exec(text);
  if (match === null) return undefined;
  const [, time, fraction, bias, month, day, year, type] = match as unknown as readonly (string | undefined)[];
  const clock = time?.padStart(8, "0");
  const local = `${year}-${month?.padStart(2, "0")}-${day?.padStart(2, "0")}T${clock}${fraction ?? ""}`;
  const minutes = Number(bias ?? 0);
  const level = type === "3" ? 2 : type === "2" ? 3 : 4;
  return { level, time: minutes === 0 ? local : `${local}${offsetText(-minutes)}`, zoned: minutes !== 0 };
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** DPM's errlog names no year. */
function dpmLine(text: string): LogLine | undefined {
  const match = DPM.exec(text);
  if (match === null) return undefined;
  return {
    level: levelOf(DPM_LEVEL.exec(text)?.[1] ?? "normal"),
    time: `${match[3]} ${match[4]}`,
    zoned: false,
    processId: Number.parseInt(match[1] as string, 16),
    threadId: Number.parseInt(match[2] as string, 16),
  };
}
