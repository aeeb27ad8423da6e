import { expect, test } from "vitest";
import { run } from "./test-kit.ts";

const record = (recordId: number): string =>
  JSON.stringify({
    "@timestamp": "2026-03-10T02:00:00.000Z",
    event: { code: "7036", kind: "event", provider: "Service Control Manager" },
    host: { name: "fs01.contoso.example" },
    winlog: {
      channel: "System",
      computer_name: "fs01.contoso.example",
      event_id: "7036",
      provider_name: "Service Control Manager",
      record_id: recordId,
    },
  });

test("another selection holds from the next request on, for what was passed over before", async () => {
  await using running = await run({ selection: { wants: () => false } });
  const post = async (recordId: number): Promise<unknown> =>
    (await fetch(`${running.url}/ingest`, { method: "POST", body: record(recordId) })).json();
  expect(await post(1)).toMatchObject({ events: 0, notSelected: 1 });
  running.service.use({ wants: (_provider, _channel, eventId) => eventId === 7036 });
  expect(await post(2)).toMatchObject({ events: 1, notSelected: 0 });
  expect((await running.events()).map(({ event }) => event.recordId)).toEqual(["2"]);
});
