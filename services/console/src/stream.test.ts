import { expect, test } from "vitest";
import { fixture, Running } from "./test-kit.ts";

const crash = fixture("cluster-hang-9e");

/** Reads a stream until so many events have come. */
async function events(
  running: Running,
  count: number,
  lastEventId?: string,
): Promise<readonly Record<string, string>[]> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const stopping = new AbortController();
  const response = await fetch(`${running.service.url}/api/v1/stream`, { headers, signal: stopping.signal });
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  const found: Record<string, string>[] = [];
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split("\n").map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? [line, ""]),
      );
      if (fields["event"] !== undefined) found.push(fields);
    }
    if (found.length >= count) break;
  }
  stopping.abort();
  return found;
}

test("a change is told to who listens, and who comes back gets what was missed", async () => {
  await using running = await Running.open([crash]);
  const listening = events(running, 1);
  await expect.poll(async () => (await running.ask("/metrics")).body).toContain("console_streams_open 1");
  await running.publish({ ...crash, revision: 4 });
  const [first] = await listening;
  expect(first?.["event"]).toBe("incident");
  expect(JSON.parse(first?.["data"] ?? "")).toMatchObject({ id: crash.id, revision: 4 });
  const revision = async (): Promise<number> =>
    JSON.parse((await running.ask(`/api/v1/incidents/${crash.id}`)).body).revision;
  for (const next of [5, 6]) {
    await running.publish({ ...crash, revision: next });
    await expect.poll(revision).toBe(next);
  }
  const missed = await events(running, 2, first?.["id"]);
  expect(missed.map(({ data }) => JSON.parse(data ?? "").revision)).toEqual([5, 6]);
});

test.each(["other-3", "nonsense", "0"])("who saw %s last is told to start afresh", async (id) => {
  await using running = await Running.open([crash]);
  expect((await events(running, 1, id))[0]?.["event"]).toBe("reset");
});

test("more streams than allowed are turned away", async () => {
  await using running = await Running.open([], { streamsMax: 1 });
  const stopping = new AbortController();
  await fetch(`${running.service.url}/api/v1/stream`, { signal: stopping.signal });
  expect((await running.ask("/api/v1/stream")).status).toBe(503);
  stopping.abort();
});

test("text of events cannot end a line of the stream", async () => {
  await using running = await Running.open([crash]);
  const listening = events(running, 1);
  await expect.poll(async () => (await running.ask("/metrics")).body).toContain("console_streams_open 1");
  await running.publish({ ...crash, revision: 4, title: "a\n\nevent: incident\ndata: {}\n\n" });
  const [only] = await listening;
  expect(JSON.parse(only?.["data"] ?? "").revision).toBe(4);
});
