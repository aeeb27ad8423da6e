/**
 * Zabbix, as a sender to a trapper item: each change of an incident is one value, JSON that triggers read with JSONPath.
 * "success" says that the request was read; the counters in `info` say whether the value was taken.
 *
 * Source: Zabbix "Header" (ZBXD, flags, length, reserved; little endian) and "Zabbix sender protocol".
 */
import { cut, plainLine } from "@culprit/model";
import { z } from "zod";
import { type Notification, notifierKind, type SendResult } from "../notifier.ts";
import { causeLine } from "../page.ts";
import { titleOf } from "../sections.ts";
import { filledName } from "../subject.ts";
import { tcpTalk } from "../tcp.ts";

const MARK = Buffer.from("ZBXD\u0001", "latin1");
const HEADER_BYTES = 13;
const TEXT_MAX = 2_000;
const Answer = z.object({ response: z.string(), info: z.string().default("") });

export const zabbix = notifierKind({
  kind: "zabbix",
  isRecord: true,
  options: z.strictObject({
    /** The server or proxy. */
    server: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(10_051),
    /** `{host}` is the full name of the machine, `{short}` the part before its first dot. */
    host: z.string().min(1).max(128).default("{short}"),
    /** The key of a trapper item of type text. */
    item: z.string().min(1).max(255).default("culprit.incident"),
  }),
  open: ({ server, port, host, item }, { addressOf }) => ({
    async send(notification, signal) {
      const named = notification.remote["host"] ?? filledName(host, notification.incident);
      const payload = framed({
        request: "sender data",
        data: [{ host: named, key: item, ...zabbixValue(notification) }],
      });
      const address = await addressOf(server);
      const answer = await tcpTalk({ host: server, address, port, tls: false, payload, answers: true }, signal);
      const result = resultOfAnswer(answer, `${named} ${item}`);
      return result.result === "ok" ? { ...result, remote: { host: named } } : result;
    },
  }),
});

function zabbixValue({
  action,
  reason,
  key,
  page,
  incident,
  at,
  test,
}: Notification): Readonly<Record<string, unknown>> {
  const { severity, status, playbook } = incident;
  const words = {
    title: cut(plainLine(titleOf(page, test)), TEXT_MAX),
    cause: cut(plainLine(causeLine(page)), TEXT_MAX),
    first: cut(plainLine(page.actions[0] ?? ""), TEXT_MAX),
    link: page.link ?? "",
  };
  const value = JSON.stringify({ key, action, reason, severity, status, playbook, ...words });
  return { value, clock: Math.floor(at / 1_000), ns: (at % 1_000) * 1_000_000 };
}

function framed(request: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(request), "utf8");
  const header = Buffer.alloc(HEADER_BYTES);
  MARK.copy(header);
  header.writeUInt32LE(body.length, MARK.length);
  return Buffer.concat([header, body]);
}

function resultOfAnswer(bytes: Buffer, what: string): SendResult {
  const unreadable: SendResult = { result: "later", detail: "the answer is not Zabbix's", uncertain: true };
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MARK.length).equals(MARK)) return unreadable;
  const length = bytes.readUInt32LE(MARK.length);
  let read: ReturnType<typeof Answer.safeParse>;
  try {
    read = Answer.safeParse(JSON.parse(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length).toString("utf8")));
  } catch {
    return unreadable;
  }
  if (!read.success) return unreadable;
  if (read.data.response !== "success") return { result: "later", detail: read.data.response, uncertain: false };
  const [, failed] = /failed: (\d{1,9})/.exec(read.data.info) ?? [];
  if (failed === undefined || Number(failed) > 0) {
    return { result: "never", detail: `Zabbix has no trapper item ${plainLine(what)}: ${read.data.info}` };
  }
  return { result: "ok", certainty: "delivered" };
}
