import { checkConfig } from "@culprit/runtime";
import { describe, expect, test } from "vitest";
import { NotifyConfig, TARGET_RULES } from "./config.ts";
import { NOTIFIERS } from "./notifiers/index.ts";

const problems = (text: string): string => {
  const result = checkConfig({ schema: NotifyConfig, text });
  return result.ok ? "" : result.problems.map((problem) => JSON.stringify(problem)).join("\n");
};

describe("the config", () => {
  test("without anything tells nobody and is valid", () => {
    expect(NotifyConfig.parse({})).toMatchObject({ timeZone: "UTC", targets: [] });
  });

  test("refuses a key that the kind does not know", () => {
    expect(problems("targets:\n  - { name: tty, kind: terminal, url: 'https://x.example' }\n")).toContain("url");
  });

  test("refuses two targets of one name and a fallback that is none", () => {
    const text =
      "targets:\n  - { name: a, kind: terminal, fallback: b }\n  - { name: a, kind: terminal, fallback: a }\n";
    expect(problems(text)).toContain("is no other target");
    expect(problems(text)).toContain("two targets are named");
  });

  test("refuses an escalation to nobody, or without its time", () => {
    const text = `targets:
  - { name: a, kind: terminal, escalateTo: c, escalateAfterMs: 60000 }
  - { name: b, kind: terminal, escalateTo: a }
`;
    expect(problems(text)).toContain("is no other target");
    expect(problems(text)).toContain("give escalateTo and escalateAfterMs together");
  });

  test("B54 never shows a secret that is wrong", () => {
    const said = problems("targets:\n  - { name: a, kind: webhook, url: 'https://x.example', secrets: [hunter2] }\n");
    expect(said).toContain("whsec_");
    expect(said).not.toContain("hunter2");
  });

  test.each(NOTIFIERS)("the options of $kind do not hide a rule of all targets", ({ options }) => {
    const rules = [...Object.keys(TARGET_RULES), "kind"];
    expect(Object.keys(options.shape).filter((key) => rules.includes(key))).toEqual([]);
  });
});
