/** Bad and odd records over every transport that carries them: where each lands, and that its neighbours are untouched. */
import type { WindowsEvent } from "@culprit/model";
import { expect, test } from "vitest";
import { equation, eventXml, post, type Running, run, sendTcp } from "../test-kit.ts";

const xml = (change: (text: string) => string): string => change(eventXml(1));
const system = (from: string | RegExp, to: string): string => xml((text) => text.replace(from, to));
const counted = (message: string): string => `${Buffer.byteLength(message)} ${message}`;

type Land = "event" | "dead-letter";
/** Id and what it is, the record, where it lands, and what the event must show. */
type Case = readonly [string, string, Land, object?];

const MANY = 10_000;
const CASES: readonly Case[] = [
  ["B25 characters that XML forbids", system("Cluster Service", "a&#1;b"), "event"],
  [
    "B26 an element that is 10,000 deep",
    system("Cluster Service", `${"<a>".repeat(MANY)}${"</a>".repeat(MANY)}`),
    "dead-letter",
  ],
  [
    "B26 an element with 10,000 attributes",
    system("<Level>", `<Level ${Array.from({ length: MANY }, (_, n) => `a${n}='1'`).join(" ")}>`),
    "dead-letter",
  ],
  [
    "B27 a declaration that lies about the encoding",
    `<?xml version="1.0" encoding="utf-16"?>${eventXml(1)}`,
    "event",
    { recordId: "1" },
  ],
  ["B26 an event that is not closed", system(/<\/EventData>.*/, ""), "event", { recordId: "1", marks: ["cut"] }],
  ["B27 another namespace", system("2004/08/events/event", "2099/events"), "event", { recordId: "1", eventId: 7031 }],
  ["B28 no event id", system(/<EventID.*?<\/EventID>/, ""), "dead-letter"],
  [
    "B28 an event id of 70000, which is qualifiers and id",
    system("<EventID Qualifiers='49152'>7031<", "<EventID>70000<"),
    "event",
    { eventId: 4_464, qualifiers: 1 },
  ],
  ["B28 an event id above 32 bits", system(">7031<", ">99999999999<"), "dead-letter"],
  ["B28 an event id of text", system(">7031<", ">seven<"), "dead-letter"],
  ["B28 qualifiers beside the id", xml((text) => text), "event", { eventId: 7031, qualifiers: 49_152 }],
  [
    "B29 data without names, and a name twice",
    system("<Data Name", "<Data>x</Data><Data Name='a'>1</Data><Data Name='a'>2</Data><Data Name"),
    "event",
    { data: { names: ["", "a", "a", "param1"], values: ["x", "1", "2", "Cluster Service"] } },
  ],
  ["B29 binary data of odd length", system("</EventData>", "<Binary>ABC</Binary></EventData>"), "event"],
  [
    "B30 a bugcheck text in another language, with marks in it",
    system("Cluster Service", "Der Fehlercode war: \u200e0x0000009e (0x0, 0x4.b0, 0x5, 0x0)."),
    "event",
    { data: { names: ["param1"], values: ["Der Fehlercode war: \u200e0x0000009e (0x0, 0x4.b0, 0x5, 0x0)."] } },
  ],
  ["B31 a time of 1601", system(/SystemTime='[^']*'/, "SystemTime='1601-01-01T00:00:00.000000000Z'"), "event"],
  ["B31 a time of the year 9999", system(/SystemTime='[^']*'/, "SystemTime='9999-12-31T23:59:59.9999999Z'"), "event"],
  ["B31 a leap second", system(/SystemTime='[^']*'/, "SystemTime='2016-12-31T23:59:60.5Z'"), "event"],
  [
    "B31 a time without a zone",
    system(/SystemTime='[^']*'/, "SystemTime='2024-03-01T10:00:00'"),
    "event",
    { timeCreated: Date.UTC(2024, 2, 1, 10) },
  ],
  [
    "B31 nanoseconds",
    system(/SystemTime='[^']*'/, "SystemTime='2024-03-01T10:00:00.123456789Z'"),
    "event",
    { timeCreated: Date.UTC(2024, 2, 1, 10, 0, 0, 123) },
  ],
  ["B32 an empty computer, which is legal", system("hv11.contoso.com", ""), "event"],
  ["B32 a computer of 10,000 characters", system("hv11.contoso.com", "x".repeat(10_000)), "dead-letter"],
  [
    "B32 a computer that is a path and a wildcard",
    system("hv11.contoso.com", "../../etc/*"),
    "event",
    { host: "../../etc/*" },
  ],
  [
    "B32 mixed case and a trailing dot",
    system("hv11.contoso.com", "HV11.Contoso.COM."),
    "event",
    { host: "hv11.contoso.com" },
  ],
];

const TRANSPORTS: readonly (readonly [string, (running: Running, records: readonly string[]) => Promise<unknown>])[] = [
  ["/ingest", (running, records) => post(`${running.url}/ingest`, records.join("\n"))],
  [
    "HEC",
    (running, records) =>
      post(`${running.url}/services/collector`, records.map((event) => JSON.stringify({ event })).join("")),
  ],
  ["syslog", (running, records) => sendTcp(running, "syslog-tcp", records.map(counted).join(""))],
  [
    "GELF",
    (running, records) =>
      sendTcp(
        running,
        "gelf-tcp",
        records.map((text) => `${JSON.stringify({ host: "n1", short_message: "x", full_message: text })}\0`).join(""),
      ),
  ],
];

const EACH = CASES.flatMap(([name, record, land, shows = {}]) =>
  TRANSPORTS.map(([over, send]) => ({ name, over, record, land, shows, send })),
);
const CONFIG = { syslog: { tcp: { port: 0 } }, gelf: { tcp: { port: 0 } } } as const;

test.each(EACH)("$name, over $over", async ({ record, land, shows, send }) => {
  await using running = await run({ config: CONFIG });
  await send(running, [eventXml(48), record, eventXml(49)]);
  const events = (await running.events()).map(({ event }) => event);
  const isOther = ({ recordId }: WindowsEvent): boolean => recordId === "48" || recordId === "49";
  expect(events.filter(isOther)).toHaveLength(2);
  const own = events.filter((event) => !isOther(event));
  expect(own).toMatchObject(land === "event" ? [shows] : []);
  expect(await equation(running)).toMatchObject({ deadLetters: land === "event" ? 0 : 1 });
});

const ENTITIES = '<!ENTITY a "<Event>aaaa</Event>"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">';
const DOCTYPES = [
  ["with entities of its own", (event: string) => `<!DOCTYPE Event [${ENTITIES}<!-- ]> -->]>\n${event}`],
  [
    "that names a file",
    (event: string) => `<?xml version="1.0"?><!doctype Event SYSTEM 'http://127.0.0.1:9/x'>${event}`,
  ],
  ["around several events", (event: string) => `<!DOCTYPE Events [${ENTITIES}]><Events>${event}${event}</Events>`],
  ["inside of it", (event: string) => event.replace("<System>", `<!DOCTYPE x [${ENTITIES}]><System>`)],
] as const;
const TYPED = DOCTYPES.flatMap(([kind, type]) => TRANSPORTS.map(([over, send]) => ({ kind, type, over, send })));

test.each(TYPED)(
  "B24 a record with a document type $kind is a dead letter over $over, its event too, and its neighbours are read",
  async ({ type, send }) => {
    await using running = await run({ config: CONFIG });
    const record = type(eventXml(1).replace("Cluster Service", "&b;&c;"));
    await send(running, [eventXml(48), record, eventXml(49)]);
    expect((await running.letters()).map(({ reason }) => reason)).toEqual(["xml.doctype"]);
    expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["48", "49"]);
  },
);
