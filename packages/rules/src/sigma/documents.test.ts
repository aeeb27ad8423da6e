import { describe, expect, test } from "vitest";
import { compileRules, jsonSource, type RuleDiagnostic } from "./index.ts";
import { diagnosticsOf, ruleText, selectionText } from "./match.test-support.ts";

const RULE = ruleText(selectionText("F: 1"));

function errors(text: string): string[] {
  return diagnosticsOf(text)
    .filter(({ severity }) => severity === "error")
    .map(({ line, read }) => `${line}: ${read}`);
}

function titles(text: string): string[] {
  return (compileRules([{ file: "r.yml", text }]).ruleset?.rules ?? []).map(({ title }) => title);
}

describe("YAML", () => {
  test("an alias bomb, deep nesting and a huge file are refused quickly", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh"
        .split("")
        .map((name, i) =>
          `${name}: &${name} [${"*abcdefgh"[i + 1]},`
            .replace("[", `[${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")},`)
            .replace(/\*?.,$/, `*${"abcdefgh"[i]}]`),
        ),
    ].join("\n");
    const started = performance.now();
    expect(errors(`${bomb}\n`).join()).toContain("more values or levels");
    expect(errors("[".repeat(10_000)).length).toBeGreaterThan(0);
    expect(
      errors(`${"a:\n".repeat(1)}${Array.from({ length: 100 }, (_, i) => `${" ".repeat(i + 1)}b:\n`).join("")}`).join(),
    ).toContain("more values or levels");
    expect(errors(" ".repeat(9 * 1024 * 1024)).join()).toContain("characters");
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test("a merge key lends what a map does not have of its own", () => {
    const text = ruleText(
      "base: &base { EventID: 1, F: a }\nother: &other { F: b, G: c }\nsel: { <<: [*base, *other], EventID: 2 }\ncondition: sel",
    );
    const { ruleset } = compileRules([{ file: "r.yml", text }], { routing: false });
    const events = [
      { EventID: 2, F: "a", G: "c" },
      { EventID: 1, F: "a", G: "c" },
      { EventID: 2, F: "b", G: "c" },
      { EventID: 2, F: "a" },
    ];
    const matched = events.map((event) => {
      let count = 0;
      ruleset?.match(jsonSource(event), () => {
        count += 1;
      });
      return count;
    });
    expect(matched).toEqual([1, 0, 0, 0]);
    expect(errors(RULE.replace("F: 1", "'<<': 1"))).toEqual([]);
  });

  test("repeated keys, tabs and tags are refused with their line", () => {
    expect(errors(RULE.replace("    F: 1", "    F: 1\n    F: 2"))).toEqual(["7: Map keys must be unique"]);
    expect(errors(RULE.replace("    F: 1", "\tF: 1")).join()).toContain("6: Tabs");
    expect(errors(RULE.replace("F: 1", "F: !!python/object x")).join()).toContain("6:");
    expect(errors("- just\n- a list\n")).toEqual(["1: a list of 2"]);
    expect(errors("text")).toEqual(['1: "text"']);
  });

  test("a broken document is named by its title where that can be read", () => {
    const names = (text: string): string[] => diagnosticsOf(text).map(({ rule }) => rule);
    expect(names(RULE.replace("F: 1", "F: [1"))).toEqual(["rule"]);
    expect(names("[")).toEqual(["rule.yml, document 1"]);
  });

  test("one bad document leaves the others of its file, and bad files leave other files", () => {
    expect(titles(`${RULE}---\ntitle: x\ntitle: y\n---\n${RULE.replace("title: rule", "title: other")}`)).toEqual([
      "rule",
      "other",
    ]);
    expect(titles("# nothing\n---\n---\n")).toEqual([]);
  });

  test("a diagnostic names file, place, rule, what was read and what was expected", () => {
    const [first] = compileRules([{ file: "dir/x.yml", text: RULE.replace("F: 1", "F|containz: 1") }]).diagnostics;
    expect(first).toMatchObject({
      severity: "error",
      file: "dir/x.yml",
      line: 6,
      column: 5,
      rule: "rule",
    } satisfies Partial<RuleDiagnostic>);
    expect(first?.message).toContain('rule "rule": read the modifier "containz", expected one of all,');
  });
});

describe("rules", () => {
  test.each([
    ["title: rule\n", "", "no title"],
    ["logsource:\n  product: windows\n", "", "no logsource"],
    ["  product: windows\n", "  definition: x\n", "an empty logsource"],
    ["title: rule\n", "title: rule\nlevel: extreme\n", 'level "extreme"'],
    ["  condition: sel\n", "", "a detection without condition"],
    ["title: rule\n", "title: rule\nfilter: {}\n", "detection and filter"],
    ["title: rule\n", "title: [a]\n", "a list of 1 under title"],
  ])("a rule where %j is %j is refused", (from, to, read) => {
    expect(errors(RULE.replace(from, to)).join()).toContain(read);
  });

  test("custom keys are kept, related and status have no bearing on matching", () => {
    const head =
      "title: rule\nid: abc\nstatus: unsupported\nrelated:\n  - { id: x, type: obsolete }\n  - { id: y }\nx-culprit: { say: hello, n: [1, 2] }\nvendor: { a: 1 }\n";
    const { ruleset, diagnostics } = compileRules([{ file: "r.yml", text: ruleText(selectionText("F: 1"), head) }], {
      routing: false,
    });
    const rule = ruleset?.rules[0];
    expect(rule?.extension).toEqual({ say: "hello", n: [1, 2] });
    expect(rule?.custom.get("vendor")).toEqual({ a: 1 });
    expect(rule?.related).toEqual([{ id: "x", type: "obsolete" }]);
    expect(diagnostics.map(({ severity, read }) => `${severity} ${read}`)).toEqual([
      "warning status unsupported",
      "warning a map of id",
    ]);
    let count = 0;
    ruleset?.match(jsonSource({ F: 1 }), () => {
      count += 1;
    });
    expect(count).toBe(1);
  });

  test("rules that share an id or name are loaded with keys of their own, and cannot be referred to", () => {
    const text = [RULE, RULE].map((rule) => `name: same\n${rule}`).join("---\n");
    const correlation =
      "---\ntitle: corr\ncorrelation: { type: event_count, rules: [same], timespan: 1m, condition: { gte: 1 } }\n";
    const { ruleset, diagnostics } = compileRules([{ file: "r.yml", text: text + correlation }]);
    expect(ruleset?.rules.map(({ key }) => key)).toEqual(["same", "same (2)"]);
    expect(diagnostics.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual(["warning rule", "error corr"]);
  });
});

describe("collections", () => {
  const parts = (action: string, rest: string): string => `action: ${action}\n${rest}`;

  test("a global document lends its content until it is reset", () => {
    const text = [
      parts("global", "title: shared\nlogsource: { product: windows }\ndetection: { condition: sel }\n"),
      "detection: { sel: { F: 1 } }\n",
      "title: own\ndetection: { sel: { F: 2 } }\n",
      parts("reset", ""),
      RULE,
    ].join("---\n");
    expect(titles(text)).toEqual(["shared", "shared", "rule"]);
  });

  test("a repeating document changes the one before it", () => {
    const text = `${RULE}---\n${parts("repeat", "title: second\ndetection: { sel: { F: 2 } }\n")}`;
    const { ruleset } = compileRules([{ file: "r.yml", text }], { routing: false });
    const matched: string[] = [];
    for (const F of [1, 2]) ruleset?.match(jsonSource({ F }), ({ title }) => matched.push(title));
    expect(matched).toEqual(["rule", "second"]);
  });

  test("an unknown action and a repeat of nothing are refused", () => {
    expect(errors(parts("append", "title: x\n"))).toEqual(['1: action "append"']);
    expect(errors(parts("repeat", "title: x\n"))).toEqual(["1: repeat with nothing before it"]);
  });
});

describe("filters", () => {
  const ID = "9aed9c04-0ade-5be7-9621-d22524aa3790";
  const rule = ruleText(selectionText("F: 1"), `title: rule\nid: ${ID}\n`);
  const filter = (target: string, logsource = "product: windows", condition = "not 1 of f_*"): string =>
    `title: flt\nlogsource: { ${logsource} }\nfilter:\n  rules: ${target}\n  f_a: { U: x }\n  f_b: { V: x }\n  condition: ${condition}\n`;
  const match = (...texts: string[]): number[] => {
    const { ruleset } = compileRules(
      texts.map((text, i) => ({ file: `${i}.yml`, text })),
      { routing: false },
    );
    return [{}, { U: "x" }, { V: "x" }].flatMap((event, i) => {
      let count = 0;
      ruleset?.match(jsonSource({ F: 1, ...event }), () => {
        count += 1;
      });
      return count > 0 ? [i] : [];
    });
  };

  test("apply to the rules they name, by id or name in any case of the id, or to all of a log source", () => {
    for (const target of [`[${ID}]`, ID, `[${ID.toUpperCase()}]`, "any", "all", "[]"])
      expect(match(rule, filter(target))).toEqual([0]);
    expect(match(filter(ID), rule)).toEqual([0]);
    expect(match(rule, filter("[other]"))).toEqual([0, 1, 2]);
  });

  test("do not apply to a rule of another log source, and say so", () => {
    expect(match(rule, filter(ID, "product: windows, service: security"))).toEqual([0, 1, 2]);
    const { diagnostics } = compileRules([{ file: "a", text: `${rule}---\n${filter(ID, "product: linux")}` }]);
    expect(diagnostics.map(({ rule: name, read }) => [name, read])).toEqual([
      ["flt", 'a filter for "rule", which has another log source'],
    ]);
  });

  test("without rules or condition are refused", () => {
    expect(errors(filter(ID).replace(`  rules: ${ID}\n`, ""))).toEqual(["4: a filter without rules"]);
    expect(errors(filter(ID).replace("  condition: not 1 of f_*\n", "")).length).toBe(1);
  });
});

describe("correlations that are refused", () => {
  const base = "name: a\n";
  const correlation = (body: string): string =>
    `${base}${RULE}---\ntitle: corr\nname: corr\ncorrelation: { ${body} }\n`;
  const GOOD = "type: event_count, rules: [a], timespan: 1m, condition: { gte: 1 }";

  test("the good one is not among them", () => {
    expect(errors(correlation(GOOD))).toEqual([]);
  });

  test.each([
    ["type: event_count", "type: event_sum", 'type "event_sum"'],
    ["type: event_count, ", "", "without type"],
    ["rules: [a]", "rules: []", "without rules"],
    ["rules: [a]", "rules: [a, a]", '"a" twice'],
    ["rules: [a]", "rules: [nowhere]", 'a reference to "nowhere"'],
    ["rules: [a]", "rules: [corr]", "which leads back here"],
    ["timespan: 1m, ", "", "without timespan"],
    ["timespan: 1m", "timespan: 0m", 'timespan "0m"'],
    ["timespan: 1m", "timespan: 90", 'timespan "90"'],
    ["timespan: 1m", "timespan: 1M", 'timespan "1M"'],
    ["timespan: 1m", "timespan: -5m", 'timespan "-5m"'],
    ["timespan: 1m", "timespan: 3650d", 'timespan "3650d"'],
    [", condition: { gte: 1 }", "", "event_count without condition"],
    ["{ gte: 1 }", "{ gtee: 1 }", '"gtee"'],
    ["{ gte: 1 }", "{ gte: many }", 'gte "many"'],
    ["{ gte: 1 }", "{ gte: 1, field: F }", "field in the condition"],
    ["{ gte: 1 }", "a and b", 'condition "a and b"'],
    ["type: event_count", "type: value_count", "value_count without field"],
    [
      "type: event_count, rules: [a], timespan: 1m, condition: { gte: 1 }",
      "type: value_sum, rules: [a], timespan: 1m, condition: { gte: 1, field: [F, G] }",
      "2 fields",
    ],
    [
      "type: event_count, rules: [a], timespan: 1m, condition: { gte: 1 }",
      "type: value_percentile, rules: [a], timespan: 1m, condition: { gte: 1, field: F }",
      "without percentile",
    ],
    ["timespan: 1m", "timespan: 1m, aliases: { x: { other: F } }", "alias x"],
    ["timespan: 1m", "timespan: 1m, generate: perhaps", "generate"],
    ["timespan: 1m", "timespan: 1m, timeframe: 1m", '"timeframe"'],
    ["timespan: 1m", "timespan: 1m, x-culprit: { window: session }", "session without gap"],
    ["timespan: 1m", "timespan: 1m, x-culprit: { absent: { rule: b } }", "absent"],
    ["timespan: 1m", "timespan: 1m, x-culprit: { absent: { rule: b, within: 1m } }", 'a reference to "b"'],
  ])("%s -> %s", (from, to, read) => {
    const found = diagnosticsOf(correlation(GOOD.replace(from, to))).filter(({ severity }) => severity === "error");
    expect(found.map((each) => each.read).join()).toContain(read);
    expect(found.every(({ rule }) => rule === "corr")).toBe(true);
  });

  test("a correlation over a refused one is refused too", () => {
    const text = `${correlation(GOOD.replace("1m", "1x"))}---\ntitle: outer\ncorrelation: { ${GOOD.replace("[a]", "[corr]")} }\n`;
    expect(
      diagnosticsOf(text)
        .filter(({ severity }) => severity === "error")
        .map(({ rule }) => rule),
    ).toEqual(["corr", "outer"]);
  });
});
