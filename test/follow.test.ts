/** `culprit analyze --follow` over files that grow, with the machine's time in our hands. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Incident } from "@culprit/model";
import { settableClock } from "@culprit/runtime";
import { expect, test } from "vitest";
import { runFollow } from "../packages/cli/src/commands/follow.ts";
import { demoDocuments } from "../packages/cli/src/demo.ts";
import { FollowedFiles } from "../packages/cli/src/followed-files.ts";
import { dataTemplate, eventTemplate, serviceEvent } from "../packages/evtx/src/testing/events.ts";
import { ChunkWriter, fileOf, substitution } from "../packages/evtx/src/testing/writer.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "culprit-follow-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("an outage that is written while it is followed is told as it comes about, and once more when that changes", () =>
  withFolder(async (folder) => {
    const now = Date.UTC(2024, 2, 1, 12);
    const clock = settableClock(now);
    const documents = demoDocuments(now).map((document) => `${JSON.stringify(document)}\n`);
    const path = join(folder, "beats.ndjson");
    await writeFile(path, documents.slice(0, 3).join(""));
    const stop = new AbortController();
    const told: Incident[] = [];
    const warned: string[] = [];
    const running = runFollow(
      [folder],
      { json: true, timezone: "UTC" },
      {
        clock,
        stopping: stop.signal,
        print: (line) => told.push(JSON.parse(line)),
        warn: (line) => warned.push(line),
      },
    );
    await expect.poll(() => warned.length).toBe(1);
    await appendFile(path, documents.slice(3).join(""));
    await expect
      .poll(async () => {
        await clock.advance(10_000);
        return told.length;
      })
      .toBeGreaterThan(0);
    stop.abort();
    expect(await running).toBe(1);
    expect(told[0]?.severity).toMatch(/high|critical/);
    const words = told.map(({ id, status, verdict, severity, causes }) =>
      [id, status, verdict, severity, causes[0]?.id].join(),
    );
    expect(new Set(words).size).toBe(words.length);
  }));

test("standard input and a page of HTML are refused, because they have an end", async () => {
  const parts = { clock: settableClock(0), stopping: AbortSignal.abort(), print: () => {}, warn: () => {} };
  await expect(runFollow(["-"], { timezone: "UTC" }, parts)).rejects.toMatchObject({ code: "input.not-followable" });
  await expect(runFollow(["x"], { timezone: "UTC", html: "x.html" }, parts)).rejects.toMatchObject({
    code: "input.not-followable",
  });
});

test("a binary log that changes gives the records behind the last one, and tells its damage once", () =>
  withFolder(async (folder) => {
    const template = eventTemplate("Service Control Manager", substitution(17, true));
    const parameters = dataTemplate("param1", "param2");
    const log = (...records: readonly bigint[]): Uint8Array => {
      const writer = new ChunkWriter(1n);
      for (const recordId of records) writer.record(serviceEvent(template, parameters, { recordId }));
      const bytes = fileOf(writer.finish());
      // As of a log in use: dirty, with another checksum.
      bytes[24] = records.length;
      return bytes;
    };
    const path = join(folder, "System.evtx");
    const failures: unknown[] = [];
    const files = new FollowedFiles([path], {
      zone: "UTC",
      now: () => 0,
      onFailure: (failure) => failures.push(failure),
    });
    const look = async (): Promise<number[]> => {
      const found: number[] = [];
      for await (const { event } of files.look()) found.push(Number(event.recordId));
      return found;
    };
    await writeFile(path, log(1n, 2n));
    expect(await look()).toEqual([1, 2]);
    expect(await look()).toEqual([]);
    await writeFile(path, log(1n, 2n, 3n));
    expect(await look()).toEqual([3]);
    expect(failures).toHaveLength(1);
  }));
