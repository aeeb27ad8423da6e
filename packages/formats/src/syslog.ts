/**
 * Syslog around anything: the header is taken off, and the message decoded like an input of its own. Forms of message that
 * only syslog carries have their own files, and take the header off themselves.
 *
 * Source: FORMATS.md section 6. A Windows message of several lines is split by LF framing: lines that do not begin with a
 * priority go on with the one before.
 */
import { failure } from "@culprit/model";
import { type Format, NO_MATCH, WEAK_MATCH } from "./format.ts";
import { headerTime, isSyslogLine, readSyslogHeader } from "./syslog-header.ts";

/** RFC 3164's tag before a message in JSON or XML: `name[pid]: `. */
const TAG = /^[\w./-]{1,64}(?:\[\d{1,10}\])?: ?(?=[{<[]|&lt;|@cee:)/;
const CEE_COOKIE = /^@cee: ?/;

export const syslog: Format = {
  name: "syslog",
  text: { extent: "block", starts: isSyslogLine },
  sniff: (record) => (record.shape === "text" && isSyslogLine(record.text) ? WEAK_MATCH : NO_MATCH),
  select: () => true,
  *decode(record, context) {
    const header = readSyslogHeader(record.text);
    const body = header.body.replace(TAG, "").replace(CEE_COOKIE, "");
    if (body === record.text || body.trim() === "") {
      yield failure("syslog.empty", "a syslog header without a message");
      return;
    }
    const receivedAt = headerTime(header, context) ?? context.receivedAt;
    yield* context.inner(body, { ...context, receivedAt, ...(header.host === undefined ? {} : { host: header.host }) });
  },
};
