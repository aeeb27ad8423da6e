/** The articles of 2009 that Culprit has to know, and the table of the README that names the playbooks of each. */
import type { Program } from "@culprit/rules";
import { cell, table } from "./markdown.ts";

/** Titles as published, in the order of the page they were collected from. */
export const ARTICLES = [
  "MDT 2010: Incorrect wimgapi.dll version causing WIM mounting issues",
  "Unable to select an attached VHD as a Shadow Copy Storage location",
  "The Four Stages of NTFS File Growth",
  "KMS Host Client Count not Increasing Due to Duplicate CMID'S",
  "How to run a Sysprep and Capture Task Sequence From MDT 2010",
  "Invalid Product Key Error Specifying MAK key in unattend.xml",
  "Failover Cluster Validation Firewall Error in Windows Server 2008 R2",
  "Top Issues for Microsoft Support for Windows Server 2008 Hyper-V (Q4)",
  "Update to KB968912",
  "Working on an Application Compatibility Issue? Let us Help!",
  "DPM 2007 - Troubleshooting protection for Hyper-V",
  "Adding New Timezones to Windows XP/Windows Server 2003 Sysprep.inf deployments",
  "How to Use The Migratedatasourcedatafromdpm.Ps1 DPM Powershell Script to Move Data",
  "Why is my 2008 Failover Clustering node blue screening with a Stop 0x0000009E?",
  "Running Hyper-V in a lab? Use Snapshots? Check this out!",
] as const;

/** Article -> the playbooks that name it, by id. */
export function playbooksOfArticles(program: Program): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(ARTICLES.map((title) => [title, []]));
  for (const { id, articles } of program.playbooks.values())
    for (const title of articles) found.set(title, [...(found.get(title) ?? []), id]);
  return found;
}

/** The README's table. */
export function articleTable(program: Program): string {
  const rows = [...playbooksOfArticles(program)].map(([title, ids]) => [
    cell(title),
    ids.length === 0 ? "none yet" : ids.map((id) => `\`${id}\``).join(", "),
  ]);
  return table(["article", "playbooks"], rows);
}
