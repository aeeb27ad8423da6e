import { describe, expect, test } from "vitest";
import { jsonSource } from "./index.ts";
import { diagnosticsOf, matchedBy, matchedValues, refusalOf, ruleText, selectionText } from "./match.test-support.ts";

describe("plain values", () => {
  test("a number is its decimal text, and the text as written", () => {
    expect(matchedValues("F: 1.0", [1, "1", "1.0", "01", "1.00"])).toEqual([0, 1, 2]);
    expect(matchedValues("F: 04625", [4625, "4625", "04625", "004625"])).toEqual([0, 1, 2]);
    expect(matchedValues("F: '04625'", [4625, "4625", "04625"])).toEqual([2]);
  });

  test("an integer beyond doubles matches its text and what a JSON reader makes of it", () => {
    const event = JSON.parse('{"F":9232379236109516801}') as { F: number };
    expect(matchedValues("F: 9232379236109516801", ["9232379236109516801", event.F, "9232379236109516802"])).toEqual([
      0, 1,
    ]);
  });

  test("null is missing or null, empty is empty, a star is any value but null", () => {
    const values = [undefined, null, "", "x", [], [null, "x"], 0, false];
    expect(matchedValues("F: null", values)).toEqual([0, 1, 5]);
    expect(matchedValues("F: ''", values)).toEqual([2]);
    expect(matchedValues("F: '*'", values)).toEqual([2, 3, 5, 6, 7]);
    expect(matchedValues("F: '?*'", values)).toEqual([3, 5, 6, 7]);
    expect(matchedValues("F: [null, 'x']", values)).toEqual([0, 1, 3, 5]);
  });

  test("an empty list never matches, and is said", () => {
    expect(matchedValues("F: []", [undefined, null, "", []])).toEqual([]);
    expect(diagnosticsOf(ruleText(selectionText("F: []")))[0]?.severity).toBe("warning");
  });

  test("a question mark is one character, whatever its code", () => {
    expect(matchedValues("F: 'a?b'", ["a😀b", "a\nb", "ab", "axxb"])).toEqual([0, 1]);
    expect(matchedValues("F|endswith: '??'", ["😀😀", "x", "xy"])).toEqual([0, 2]);
    expect(matchedValues("F: 'a?b'", ["aİb", "aI\u0307b"])).toEqual([0]);
  });

  test("patterns of many stars are answered in time linear in the text", () => {
    const text = "ab".repeat(50_000);
    const started = performance.now();
    expect(matchedValues(`F: '${"*a*b".repeat(100)}*c'`, [text])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test("prototype keys are no fields, and may be", () => {
    expect(
      matchedBy(ruleText(selectionText("constructor|exists: true")), [jsonSource({}), jsonSource({ constructor: 1 })]),
    ).toEqual([1]);
    const hostile = JSON.parse('{"__proto__":{"F":"x"}}') as object;
    expect(matchedBy(ruleText(selectionText("F: x")), [jsonSource(hostile)])).toEqual([]);
    expect(matchedBy(ruleText(selectionText("__proto__.F: x")), [jsonSource(hostile)])).toEqual([0]);
  });
});

describe("neq", () => {
  test("asks for a field that is there with another value", () => {
    expect(matchedValues("F|neq: a", [undefined, null, "A", "b", ["a", "b"]])).toEqual([1, 3]);
    expect(matchedValues("F|neq: [a, 'b*']", ["a", "bx", "c"])).toEqual([2]);
    expect(matchedValues("F|contains|all|neq: [a, b]", ["ab", "a", "c"])).toEqual([1, 2]);
    expect(matchedValues("F|neq: null", [undefined, null, "", "x"])).toEqual([2, 3]);
    expect(matchedValues("F|re|neq: '^a'", ["a", "b"])).toEqual([1]);
  });
});

describe("text modifiers", () => {
  test("places take wildcards inside", () => {
    expect(matchedValues("F|startswith: 'a*c'", ["abcd", "xabc", "acd"])).toEqual([0, 2]);
    expect(matchedValues("F|endswith: 'a?c'", ["xabc", "abcx"])).toEqual([0]);
    expect(matchedValues("F|startswith|endswith: 'b'", ["abc"])).toEqual([0]);
  });

  test("dashes are alike in both directions and everywhere", () => {
    const values = ["x -a-b", "x /a/b", "x \u2015a\u2013b", "x +a-b"];
    expect(matchedValues("F|windash|contains: ' /a-b'", values)).toEqual([0, 1, 2]);
    expect(matchedValues("F|windash|contains: ' \u2014a\u2014b'", values)).toEqual([0, 1, 2]);
    expect(matchedValues("F|windash|contains|cased: ' -A'", ["x /A", "x /a"])).toEqual([0]);
  });

  test("dashes inside an encoding are written out", () => {
    const encoded = (text: string): string => Buffer.from(text, "utf16le").toString("base64");
    const values = [encoded("x -nop "), encoded("x /nop "), encoded("x +nop ")];
    expect(matchedValues("F|windash|wide|base64offset|contains: ' -nop '", values)).toEqual([0, 1]);
  });

  test("encodings go in the order given, and take no wildcard", () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("cmd", "utf16le")]);
    expect(matchedValues("F|utf16|base64: cmd", [utf16.toString("base64")])).toEqual([0]);
    expect(matchedValues("F|utf16le: cmd", ["c\0m\0d\0"])).toEqual([0]);
    expect(matchedValues("F|base64: 'ä'", [Buffer.from("ä").toString("base64")])).toEqual([0]);
    expect(matchedValues("F|base64: 'a\\*'", [Buffer.from("a*").toString("base64")])).toEqual([0]);
    expect(refusalOf("F|base64: 'a*'")).toContain("wildcard under base64");
    expect(refusalOf("F|contains|base64: 'a'")).toContain("wildcard under base64");
    expect(refusalOf("F|base64offset|contains: 'a'")).toContain("1 bytes");
  });

  test("base64offset finds a value wherever it stands", () => {
    for (const head of ["", "x", "xy", "xyz"]) {
      for (const tail of ["", "a", "ab", "\u00ff"]) {
        const value = Buffer.from(`${head}http://${tail}`, "latin1").toString("base64");
        expect(matchedValues("F|base64offset|contains: 'http://'", [value])).toEqual([0]);
      }
    }
  });
});

describe("placeholders", () => {
  const placeholders = new Map([
    ["Servers", ["srv*", "db01"]],
    ["n", ["1", "2"]],
  ]);

  test("values may hold wildcards, and several combine", () => {
    expect(matchedValues("F|expand: '%Servers%'", ["SRV7", "db01", "db011"], { placeholders })).toEqual([0, 1]);
    expect(
      matchedValues("F|expand|contains: '%Servers%-%n%'", ["x db01-2 y", "srvx-1", "db01-3"], { placeholders }),
    ).toEqual([0, 1]);
  });

  test("an escaped percent sign is itself", () => {
    expect(matchedValues("F|expand: '\\%plain%n%'", ["%plain1", "%plain2", "1"], { placeholders })).toEqual([0, 1]);
  });

  test("a placeholder without values is refused by name", () => {
    expect(refusalOf("F|expand: '%nobody%'", { placeholders })).toContain("%nobody%");
  });
});

describe("numbers, times, networks and other fields", () => {
  test("comparisons take decimal numbers, as numbers or text, of any size", () => {
    expect(matchedValues("F|gte: 1.5", [1.5, " 2 ", "1e1", "0x10", "", true, [1, 9]])).toEqual([0, 1, 2, 6]);
    expect(matchedValues("F|gt: 9007199254740993", ["9007199254740994", "9007199254740993"])).toEqual([0]);
    expect(refusalOf("F|gt: true")).toContain("a number for gt");
    expect(refusalOf("F|lt|gt: 1")).toContain("only one of them");
  });

  test("parts of a date are read as written", () => {
    expect(
      matchedValues("F|hour: 23", [
        "2026-03-02T23:15:00+02:00",
        "2026-03-02 23:15",
        "2026-03-02",
        1772493300000,
        1772493300,
      ]),
    ).toEqual([0, 1, 3, 4]);
    expect(matchedValues("F|week: 10", ["2026-03-02", "2026-03-08T00:00:00Z", "2026-03-09"])).toEqual([0, 1]);
    expect(matchedValues("F|week: 53", ["2027-01-03", "2026-12-31", "2027-01-04"])).toEqual([0, 1]);
    expect(matchedValues("F|year: [2025, 2026]", ["2026-01-01", "2024-01-01"])).toEqual([0]);
    expect(matchedValues("F|hour|gte: 22", ["2026-03-02T22:00:00Z", "2026-03-02T21:59:00Z"])).toEqual([0]);
  });

  test("networks know every spelling of an address, and keep the versions apart", () => {
    expect(
      matchedValues("F|cidr: '2001:db8::/32'", ["2001:0DB8:0:0::1", "2001:db8:ffff::", "2001:db9::", "2001:db8::1%12"]),
    ).toEqual([0, 1, 3]);
    expect(matchedValues("F|cidr: '0.0.0.0/0'", ["1.2.3.4", "::1", "", "1.2.3"])).toEqual([0]);
    expect(matchedValues("F|cidr: '::/0'", ["::ffff:10.0.0.1", "10.0.0.1"])).toEqual([0]);
    expect(matchedValues("F|cidr: '10.1.2.3/8'", ["10.9.9.9", "010.1.1.1"])).toEqual([0]);
    for (const bad of ["10.0.0.0/33", "10.0.0/8", "fe80::/129", "10.*", "1:2:3:4:5:6:7:8:9/1"]) {
      expect(refusalOf(`F|cidr: '${bad}'`)).toContain("a network such as");
    }
  });

  test("a field is compared with another by its text, at any place", () => {
    const events = [
      { F: "Bob", G: "bob" },
      { F: 5, G: "5" },
      { F: null, G: null },
      { F: "a bob b", G: "bob" },
      { F: "x" },
    ].map(jsonSource);
    expect(matchedBy(ruleText(selectionText("F|fieldref: G")), events)).toEqual([0, 1]);
    expect(matchedBy(ruleText(selectionText("F|fieldref|cased: G")), events)).toEqual([1]);
    expect(matchedBy(ruleText(selectionText("F|fieldref|contains: G")), events)).toEqual([0, 1, 3]);
    expect(matchedBy(ruleText(selectionText("F|fieldref|neq: G")), events)).toEqual([2, 3]);
    expect(refusalOf("F|fieldref: 'G*'")).toContain("the name of a field");
  });
});

describe("regular expressions", () => {
  test("are linear in the text whatever they repeat", () => {
    const text = `${"a".repeat(20_000)}!`;
    const started = performance.now();
    expect(matchedValues("F|re: '^(a+)+$'", [text])).toEqual([]);
    expect(matchedValues("F|re: '(x+x+)+y'", ["x".repeat(20_000)])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test("what cannot be linear is refused where it stands", () => {
    expect(refusalOf("F|re: 'a(?=b)'")).toContain("lookaround at character 2");
    expect(refusalOf("F|re: '(a)\\1'")).not.toBe("");
    expect(refusalOf("F|re: 'ab{,5}'")).toContain("{,5} at character 3");
    expect(refusalOf("F|re: '[{,5}]\\{,5}'")).toBe("");
    expect(refusalOf(`F|re: '${"a".repeat(5000)}'`)).toContain("5000 characters");
    expect(refusalOf("F|re: '((a{1,100}){1,100}){1,100}'")).not.toBe("");
  });

  test("a place anchors all alternatives, and numbers are text", () => {
    expect(matchedValues("F|re|startswith: 'a|b'", ["ax", "xb", "bx"])).toEqual([0, 2]);
    expect(matchedValues("F|re|endswith: 'a|b'", ["ax", "xb"])).toEqual([1]);
    expect(matchedValues("F|re: 468[89]", [4688, "4689", 4687])).toEqual([0, 1]);
  });

  test("without regard to case the literal before the engine loses no match", () => {
    expect(matchedValues("F|re|i: 'Süß.*STRASSE'", ["süß in der strasse", "SÜß STRA\u017f\u017fE", "strasse"])).toEqual(
      [0, 1],
    );
    expect(matchedValues("F|re|i: 'kelvin'", ["\u212aELVIN", "KELVIN"])).toEqual([0, 1]);
  });

  test("the end of the text is also before its last line break, as in PCRE", () => {
    expect(matchedValues("F|re: 'failed$'", ["failed", "failed\n", "failed\n\n", "failed\nx"])).toEqual([0, 1]);
    expect(matchedValues("F|re|m: 'failed$'", ["failed\n\n", "failed\nx"])).toEqual([0, 1]);
    expect(matchedValues("F|re: '[$]|a\\$'", ["a$\n", "a\n"])).toEqual([0]);
  });

  test("a character of two code units that may be missing is no literal to look for", () => {
    expect(matchedValues("F|re: '^node😀?$'", ["node", "node😀", "nod"])).toEqual([0, 1]);
  });
});

describe("what is refused", () => {
  test.each([
    ["F|containz: x", "the modifier"],
    ["F|contains|contains: x", "contains twice"],
    ["F|i: x", "without re"],
    ["F|i|re: x", "a flag before re"],
    ["F|re|base64: x", "base64 with re"],
    ["F|cidr|contains: 10.0.0.0/8", "contains with cidr"],
    ["F|exists: maybe", "true or false"],
    ["F|exists|all: true", "all"],
    ["F|contains: null", "null with contains"],
    ["F: { a: b }", "a value or a list of values"],
    ["F: [[a]]", "a value or a list of values"],
    ["'|gt': 5", "gt on keywords"],
    ["- ''", "an empty keyword"],
    ["{}", "an empty selection"],
    ["F|all: x", "all on a single value"],
    ["F|wide|utf16: x", "wide with utf16"],
    ["F|base64|windash: -x", "windash after base64"],
    ["F|wide|expand|base64: '%x%'", "expand after wide"],
    ["F|hour: noon", "a number for hour"],
  ])("%s", (selection, said) => {
    expect(refusalOf(selection)).toContain(said);
  });

  test("spellings that YAML or Sigma read otherwise are warned of", () => {
    const warnings = (selection: string): string[] =>
      diagnosticsOf(ruleText(selectionText(selection))).map(({ severity, read }) => `${severity}: ${read}`);
    expect(warnings("F: 0x9E")).toEqual(["warning: 0x9E without quotes (F)"]);
    expect(warnings("F: no")).toEqual(["warning: no without quotes (F)"]);
    expect(warnings("F: '0x9E'")).toEqual([]);
    expect(warnings("F: [a, null]")).toEqual(["warning: null among the values of F"]);
    expect(matchedValues("F: [a, null]", ["a", null, undefined, "b"])).toEqual([0, 1, 2]);
    expect(matchedValues("F: 0x9E", [158, "0x9E"])).toEqual([0]);
    expect(matchedValues("F: no", ["no", false])).toEqual([0]);
  });
});
