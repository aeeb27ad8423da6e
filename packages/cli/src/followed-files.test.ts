import { appendFile, mkdir, mkdtemp, rename, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DecodeFailure } from "@culprit/formats";
import { expect, test } from "vitest";
import { FollowedFiles } from "./followed-files.ts";

const record = (n: number): string =>
  JSON.stringify({
    EventID: 7031,
    SourceName: "Service Control Manager",
    Hostname: "n1",
    RecordNumber: n,
    Channel: "System",
  });
const lines = (...ns: readonly number[]): string => ns.map((n) => `${record(n)}\n`).join("");
const splunk = (n: number): string =>
  `03/01/2024 10:00:00 AM\nLogName=System\nEventCode=7031\nComputerName=n1\nSourceName=SCM\nRecordNumber=${n}\nMessage=stopped\n`;

interface Place {
  readonly folder: string;
  readonly path: string;
  readonly failures: DecodeFailure[];
  follow(...paths: readonly string[]): FollowedFiles;
  [Symbol.asyncDispose](): Promise<void>;
}

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "culprit-follow-"));
  const failures: DecodeFailure[] = [];
  return {
    folder,
    path: join(folder, "a.json"),
    failures,
    follow: (...paths) =>
      new FollowedFiles(paths, { zone: "UTC", now: () => 0, onFailure: (failure) => failures.push(failure) }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

async function seen(files: FollowedFiles): Promise<number[]> {
  const found: number[] = [];
  for await (const { event } of files.look()) found.push(Number(event.recordId));
  return found;
}

test("what is there comes first, then what is added, each record once; a line that is not complete waits", async () => {
  await using at = await place();
  await writeFile(at.path, lines(1, 2));
  const files = at.follow(at.path);
  expect(await seen(files)).toEqual([1, 2]);
  expect(await seen(files)).toEqual([]);
  const next = lines(3);
  await appendFile(at.path, next.slice(0, 20));
  expect(await seen(files)).toEqual([]);
  await appendFile(at.path, next.slice(20) + lines(4));
  expect(await seen(files)).toEqual([3, 4]);
  expect(at.failures).toEqual([]);
});

test("a file that is renamed is read to its end and not again, and the one that takes its place from its beginning", async () => {
  await using at = await place();
  await writeFile(at.path, lines(1));
  const files = at.follow(at.folder);
  expect(await seen(files)).toEqual([1]);
  await rename(at.path, join(at.folder, "a.json.1"));
  await appendFile(join(at.folder, "a.json.1"), lines(2));
  await writeFile(at.path, lines(3));
  expect((await seen(files)).sort()).toEqual([2, 3]);
  expect(await seen(files)).toEqual([]);
});

test("one file by its name: after it is renamed out of sight its last lines come, and those of its successor", async () => {
  await using at = await place();
  await writeFile(at.path, lines(1));
  const files = at.follow(at.path);
  expect(await seen(files)).toEqual([1]);
  const elsewhere = join(at.folder, "old");
  await rename(at.path, elsewhere);
  await appendFile(elsewhere, lines(2));
  expect(await seen(files)).toEqual([2]);
  await writeFile(at.path, lines(3));
  expect(await seen(files)).toEqual([3]);
});

test("a file that is cut short, or written anew at its place, is read from its beginning", async () => {
  await using at = await place();
  await writeFile(at.path, lines(1, 2, 3));
  const files = at.follow(at.path);
  expect(await seen(files)).toEqual([1, 2, 3]);
  await truncate(at.path, 0);
  await appendFile(at.path, lines(4));
  expect(await seen(files)).toEqual([4]);
  await writeFile(at.path, lines(10_000, 10_001, 10_002, 10_003, 10_004));
  expect(await seen(files)).toEqual([10_000, 10_001, 10_002, 10_003, 10_004]);
});

test("files that come later are followed, in folders of folders too; those that are deleted are let go", async () => {
  await using at = await place();
  const files = at.follow(at.folder, at.path);
  expect(await seen(files)).toEqual([]);
  await mkdir(join(at.folder, "host1"));
  await writeFile(join(at.folder, "host1", "b.json"), lines(1));
  expect(await seen(files)).toEqual([1]);
  await writeFile(at.path, lines(2));
  expect(await seen(files)).toEqual([2]);
  await unlink(at.path);
  expect(await seen(files)).toEqual([]);
  await writeFile(at.path, lines(3));
  expect(await seen(files)).toEqual([3]);
  expect(at.failures).toEqual([]);
});

test("a block of text is complete when nothing has come for some looks, or at the end", async () => {
  await using at = await place();
  await writeFile(at.path, splunk(1) + splunk(2));
  const files = at.follow(at.path);
  expect(await seen(files)).toEqual([1]);
  const later: number[] = [];
  for (let look = 0; look < 12; look += 1) later.push(...(await seen(files)));
  expect(later).toEqual([2]);
  await appendFile(at.path, splunk(3));
  expect(await seen(files)).toEqual([]);
  const last: number[] = [];
  for await (const { event } of files.end()) last.push(Number(event.recordId));
  expect(last).toEqual([3]);
});

test("rows of a table find their heading however late they come", async () => {
  await using at = await place();
  const row = (n: number): string => `7031,Service Control Manager,System,n1,2024-03-01T10:00:00Z,${n}\n`;
  await writeFile(at.path, `Id,ProviderName,LogName,MachineName,TimeCreated,RecordId\n${row(1)}`);
  const files = at.follow(at.path);
  expect(await seen(files)).toEqual([1]);
  for (let look = 0; look < 12; look += 1) expect(await seen(files)).toEqual([]);
  await appendFile(at.path, row(2));
  expect(await seen(files)).toEqual([2]);
});
