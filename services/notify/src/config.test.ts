import { checkConfig } from "@culprit/runtime";
import { describe, expect, test } from "vitest";
import { NotifyConfig, TARGET_RULES } from "./config.ts";
import { NOTIFIERS } from "./notifiers/index.ts";
import { LOCALHOST } from "./notifiers/test-kit.ts";

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

  test("takes certificates of one's own house, and nothing else for them", () => {
    expect(NotifyConfig.safeParse({ ca: LOCALHOST.cert }).success).toBe(true);
    const read = NotifyConfig.safeParse({ ca: "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----" });
    expect(read.error?.issues[0]?.message).toBe("expected certificates in PEM");
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

  test.each([
    ["{ name: a, kind: webhook, url: 'http://127.0.0.1:9/' }", "url"],
    ["{ name: a, kind: webhook, url: 'http://169.254.169.254/latest' }", "url"],
    ["{ name: a, kind: webhook, url: 'http://[::ffff:10.0.0.1]/' }", "url"],
    ["{ name: a, kind: webhook, url: 'http://2130706433/' }", "url"],
    ["{ name: a, kind: webhook, url: 'https://user:secret@hooks.example/' }", "url"],
    ["{ name: a, kind: goalert, url: 'http://10.0.0.7/?token=hunter2' }", "url"],
    ["{ name: a, kind: alertmanager, urls: ['https://ok.example', 'http://192.168.1.1:9093'] }", "urls.1"],
    ["{ name: a, kind: syslog, host: '10.0.0.8' }", "host"],
    ["{ name: a, kind: zabbix, server: 'fe80::1' }", "server"],
  ])("B44 refuses %s when it is loaded", (target, key) => {
    const said = problems(`targets:\n  - ${target}\n`);
    expect(said).toContain(`targets.0.${key}`);
    expect(said).toContain("notify.allowAddresses");
    expect(said).not.toMatch(/hunter2|secret/);
  });

  test("B44 takes a private address that is allowed, a name, and an address that is only a name", () => {
    const text = `allowAddresses: [10.0.0.0/8]
targets:
  - { name: a, kind: webhook, url: 'http://10.0.0.7/' }
  - { name: b, kind: webhook, url: 'http://hooks.corp/' }
  - { name: c, kind: zabbix, server: zabbix.corp, host: '192.168.0.1' }
`;
    expect(problems(text)).toBe("");
    expect(problems("allowAddresses: ['10.0.0.0/99']\n")).toContain("neither a network");
    expect(problems("heartbeat: { url: 'http://127.0.0.1/' }\n")).toContain("heartbeat.url");
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
