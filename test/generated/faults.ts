/** The faults and bad inputs that Culprit has to stand, by id; tests bear the ids at the start of their titles. */

export interface Fault {
  readonly id: string;
  readonly what: string;
  /** Why a test of ours cannot show it, or not all of it, and what stands in for it. */
  readonly instead?: string;
}

const numbered = (letter: string, rows: readonly (string | readonly [what: string, instead: string])[]): Fault[] =>
  rows.map((row, i) => {
    const [what, instead] = typeof row === "string" ? [row] : row;
    return { id: `${letter}${i + 1}`, what, ...(instead === undefined ? {} : { instead }) };
  });

/** What breaks around us. */
export const FAULTS: readonly Fault[] = numbered("F", [
  "broker killed while sending",
  "broker stops answering, then goes on",
  "one of three brokers is lost",
  "all brokers restart at other addresses",
  "worker killed between output and commit",
  "worker stopped for longer than its session (zombie owner)",
  "two owners of a partition",
  "members join and leave all the time",
  "topic missing, with another partition count, or not compacted",
  "embedded log: process killed at any byte",
  [
    "power loss: what was not synced vanishes",
    "a test cannot take the power away. SQLite syncs each commit (`synchronous=FULL`), answers are given after it, and F10 cuts the log at every byte",
  ],
  "flipped bit in a stored batch",
  "disk full",
  [
    "fsync fails",
    "needs a broken disk below SQLite. Any error of the disk breaks the log for good, and F18 shows that a broken log ends the process with an error",
  ],
  [
    "very slow disk",
    "a slow disk cannot be had without the kernel's help; SQLite works in a thread of its own, and what may wait for it is bounded",
  ],
  "second process on the same data directory",
  [
    "killed for its memory",
    "the kernel's kill is SIGKILL, which F10 and F47 send; resident memory stands in `/metrics` before it",
  ],
  "a handler throws, a promise is rejected",
  [
    "network between worker and broker cut",
    "a stopped worker (F6) and a broker that does not answer (F2) are cut off alike",
  ],
  "half-open connection of a sender",
  "sender of one byte a second",
  "sender repeats after a lost answer",
  "sender floods",
  "notifier slow or stuck",
  "notifier accepts, its answer is lost",
  "notifier refuses for hours (429, 5xx)",
  "notifier refuses our credentials",
  "thousands of hosts fail together",
  "flapping host",
  "poison record: decoder or rule throws",
  "quiet after a burst",
  "a host's clock jumps by years",
  "our own wall clock steps back",
  "daylight saving, and stamps without a zone",
  "events that come hours late, in any order",
  "one partition lags behind",
  "record ids with a gap, or begun anew",
  "a sender falls silent",
  "one hot host or key",
  "new playbooks with an error in them",
  "new playbooks while incidents are open",
  "two versions at once",
  "rollback after an upgrade",
  [
    "state lost, or older than the log's start",
    "position and state are one commit, so a lost state starts its partition from the beginning of `signals`; damage to a part of it is F12",
  ],
  "topology learned after the signals, live migration",
  "certificate renewed, expired, or of a revoked authority",
  "SIGTERM under load",
  [
    "days at high load with random faults",
    "longer than a test may last. Services are killed and stopped at random moments for minutes (F5, F6, F10), and no figure for days exists",
  ],
]);

/** What senders and rule authors get wrong, by mistake or on purpose. */
export const BAD_INPUTS: readonly Fault[] = numbered("B", [
  "no credentials, wrong token, disabled token",
  "token in the query string",
  "token used for another index",
  "many wrong tokens from one address",
  "body above the limit",
  "compressed bomb",
  "unknown or stacked encodings, a type that the body contradicts",
  "truncated gzip, garbage behind it",
  "several gzip members",
  "two lengths, bad chunking, smuggling",
  "too many or too long headers",
  "wrong method or path",
  "empty body",
  "not JSON",
  "many good records and a bad one",
  "line ends, byte order marks, blank lines",
  "nested 100,000 deep",
  "`__proto__` and its like as keys",
  "duplicate keys",
  "numbers beyond 64 bits",
  "too many keys, too long strings",
  "broken UTF-8 and UTF-16",
  "control characters and bidirectional overrides",
  "XML with a DOCTYPE or entities",
  "characters that XML forbids",
  "XML unclosed, too deep, with too many attributes",
  "XML with a wrong declaration or namespace",
  "event id missing or out of range",
  "data without names, names twice, odd binary",
  "codes in another language's text",
  "times out of range, leap seconds, nanoseconds",
  "computer names: empty, too long, mixed case",
  "syslog with broken framing",
  "syslog line above the limit",
  "CEF and LEEF with escapes, forged records",
  "OTLP that is truncated or of wrong types",
  "`_bulk` actions that are not ours",
  "EVTX with damage",
  "Kafka records without value or headers, or too large",
  "garbage or newer records in our own topics",
  "regular expressions that would run for ever",
  "YAML bombs, tags, duplicate keys",
  "playbook windows of no time or of years",
  "notifier URLs to private addresses",
  "notifier answers without end",
  "mentions, links and markup of chat tools in event text",
  "HTML and scripts in event text",
  "terminal escapes in event text",
  "spreadsheet formulas in event text",
  "line breaks in headers and subjects",
  "text that instructs a reader or a model",
  "console: forged forms, foreign origins, fixed sessions",
  "console: absurd queries",
  "secrets in config and event text",
]);
