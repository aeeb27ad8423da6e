/** Processor time of processes. */
import { existsSync, readFileSync } from "node:fs";
import { type CulpritProcess, metricOf } from "../../broker/culprit-process.ts";

/** `USER_HZ` is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Units: seconds since it began. */
export function cpuOf(process: CulpritProcess): Promise<number> {
  return metricOf(process, "process_cpu_seconds_total");
}

/** Processor time of any process, where the machine tells it; else not a number. Units: seconds. */
export function cpuOfPid(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return Number.NaN;
  // The name in brackets may hold spaces.
  const fields = readFileSync(file, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What was used while something was done. */
export async function during<T>(
  meter: () => Promise<number> | number,
  work: () => Promise<T>,
): Promise<readonly [T, number]> {
  const before = await meter();
  const result = await work();
  return [result, (await meter()) - before];
}
