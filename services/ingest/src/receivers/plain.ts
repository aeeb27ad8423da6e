/** `POST /ingest`: any format, told by its content: NDJSON, a JSON array, event XML, text, binary logs. */
import type { Failure } from "@culprit/model";
import { type Answer, type HttpPost, headerOf, REFUSALS, type Receiver, type Refusal } from "../http/answer.ts";
import type { ReceiverContext } from "./context.ts";
import { placeOf } from "./json-sequence.ts";
import { sourceOf } from "./source.ts";

/** Failures named in an answer; all of them are in the dead letters. */
const FAILURES_SHOWN = 10;
const TOO_LARGE = new Set(["record.too-long", "json.too-many-keys"]);

/** The receiver for whatever can post bytes. */
export function plainReceiver({ intake }: ReceiverContext): Receiver {
  return {
    name: "ingest",
    routes: [{ method: "POST", path: "/ingest", access: "post", handle }],
    refuse,
  };

  async function handle(request: HttpPost): Promise<Answer> {
    const { body } = request;
    if (body.length === 0) return { status: 400, body: { error: "the body is empty" } };
    const contradiction = contradictionOf(headerOf(request, "content-type"), body);
    if (contradiction !== undefined) return refuse({ reason: "contradicting-type", detail: contradiction });
    const host = request.query.get("host");
    const path = request.query.get("path");
    const taken = await intake.take({
      receiver: "ingest",
      body,
      source: sourceOf(request),
      ...(host === null ? {} : { host }),
      ...(path === null ? {} : { path }),
    });
    const counts = {
      events: taken.events,
      deadLetters: taken.failures.length,
      notSelected: taken.notSelected,
      duplicates: taken.duplicates,
    };
    const failures = taken.failures.slice(0, FAILURES_SHOWN).map((failure) => shown(failure, body));
    const [first] = taken.failures;
    if (first === undefined) return { status: 200, body: counts };
    const good = taken.events + taken.notSelected + taken.duplicates;
    if (good > 0) return { status: 200, body: { ...counts, failures } };
    return {
      status: TOO_LARGE.has(first.reason) ? 413 : 400,
      body: { error: "nothing in the body could be read", ...counts, failures },
    };
  }
}

function refuse({ reason, detail }: Refusal): Answer {
  const { status, text } = REFUSALS[reason];
  return { status, body: { error: text, ...(detail === undefined ? {} : { detail }) } };
}

function shown({ reason, detail, offset }: Failure, body: Uint8Array): Record<string, unknown> {
  return { reason, detail, ...(offset === undefined ? {} : { offset, ...placeOf(body, offset) }) };
}

const LESS = 0x3c;
const OPENS_JSON = new Set([0x7b, 0x5b]);

/** What speaks against a declared type; only what the first character proves. */
function contradictionOf(contentType: string | undefined, body: Uint8Array): string | undefined {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const first = body.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  if (/[/+](?:x-ndjson|ndjson|json)$/.test(type) && first === LESS) return `${type} does not begin with "<"`;
  if (/[/+]xml$/.test(type) && first !== undefined && OPENS_JSON.has(first)) return `${type} is not JSON`;
  if (type.startsWith("multipart/")) return "a form is not taken; send the bytes as they are";
  return undefined;
}
