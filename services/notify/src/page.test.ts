import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fixture, hostile } from "./fixtures.ts";
import { renderPage, renderShort } from "./page.ts";
import { composePage } from "./page-content.ts";

const UTC = { timeZone: "UTC" };

describe("the page of a clear cause", () => {
  const page = renderPage(fixture("cluster-hang-9e"), {
    timeZone: "Europe/Oslo",
    now: "2026-03-17T02:12:00.000Z",
    consoleUrl: "http://culprit.example:8080",
    history: {
      times: 2,
      days: 30,
      last: fixture("dpm-vss").id,
      lastAt: "2026-02-12T02:00:00.000Z",
      lastOutcome: "backup agent leak",
    },
  });
  const lines = page.split("\n");

  test("opens with severity and a sentence that says what and where", () => {
    expect(lines[0]).toBe("CRITICAL  HV11 crashed and restarted: cluster CLU1 stopped it because it hung (0x9E)");
  });

  test("gives the configured zone first, UTC beside it, and how long ago", () => {
    expect(lines[1]?.trim()).toBe("17 Mar 2026 03:00:04 Oslo (02:00 UTC) · 12 min ago");
  });

  test("names the cause with share and verdict on one line", () => {
    expect(page).toMatch(/^PROBABLE CAUSE {3}Non-paged pool exhausted on HV11 +75 % {2}likely$/m);
  });

  test("prints what speaks against even when nothing does", () => {
    expect(page).toMatch(/^ {2}against +0 {2}nothing seen$/m);
  });

  test("counts what is behind the link instead of dropping it silently", () => {
    expect(page).toContain("size of the pool before the crash (and 1 more)");
  });

  test("lists the first steps, what is not the cause, the past and the link", () => {
    expect(page).toMatch(/^DO FIRST {9}1 {2}On HV11: poolmon -b/m);
    expect(page).toMatch(/^NOT THE CAUSE {4}The cluster\./m);
    expect(page).toContain('SEEN BEFORE      2nd time in 30 days; last time on 12 Feb, closed as "backup agent leak"');
    expect(page).toMatch(/^MORE {13}http:\/\/culprit\.example:8080\/incidents\/[0-9a-f]{64}$/m);
  });

  test("never wraps a line that holds a command", () => {
    const narrow = renderPage(fixture("cluster-hang-9e"), { ...UTC, width: 46 });
    expect(narrow).toContain("findstr /m /l TAG %SystemRoot%\\System32\\drivers\\*.sys names the driver");
  });

  test("keeps every other line within the width", () => {
    for (const line of renderPage(fixture("cluster-hang-9e"), { ...UTC, width: 80 }).split("\n")) {
      if (!/^(DO FIRST|MORE| {17}\d)/.test(line)) expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});

describe("the page when the evidence is thin", () => {
  test("says in the headline that two explain it equally and what would decide", () => {
    const page = renderPage(fixture("dpm-vss"), { ...UTC, width: 200 });
    expect(page).not.toContain("PROBABLE CAUSE");
    expect(page).toContain("CAUSE NOT CLEAR  two explain it about equally: VSS is broken inside the guest SQL03 45 %");
    expect(page).toContain("this would decide: which writers of the host are failed");
    expect(page).toMatch(/^EITHER .+45 %$/m);
    expect(page).toMatch(/^OR .+40 %$/m);
  });

  test("says beside the time how often it has happened, and does not call that seen before", () => {
    const page = composePage(fixture("storage-loss", { occurrences: 4, last: "2026-03-16T10:03:41.000Z" }), UTC);
    expect(page.when).toContain(" · 4 times, the last 1 min 30 s later");
    expect(page.seenBefore).toBeUndefined();
  });

  test("puts what would decide before what might repair", () => {
    expect(composePage(fixture("dpm-vss"), UTC).actions[0]).toBe(
      "To learn which writers of the host are failed: On HV21: vssadmin list writers",
    );
  });

  test("invents no cause where none has anything for it", () => {
    const base = fixture("cluster-hang-9e");
    const causes = base.causes.map((cause) => ({ ...cause, for: [] })).toSorted((a) => (a.id === "unknown" ? -1 : 0));
    const page = renderPage({ ...base, causes, verdict: "not-enough-evidence" }, UTC);
    expect(page).toContain("CAUSE NOT CLEAR  nothing in the logs explains it");
    expect(page).not.toContain("PROBABLE CAUSE");
    expect(page).not.toContain("BEST GUESS");
    expect(page).not.toMatch(/nothing seen/);
    expect(page).toMatch(/^ {2}unknown +Application log of HV12 silent/m);
  });

  test("names the best guess where anything speaks for one", () => {
    const base = fixture("cluster-hang-9e");
    const causes = base.causes.toSorted((a) => (a.id === "unknown" ? -1 : 0));
    const page = renderPage({ ...base, causes, verdict: "not-enough-evidence" }, UTC);
    expect(page).toContain("too little evidence; best guess: Non-paged pool exhausted on HV11 75 %");
    expect(page).toMatch(/^BEST GUESS +Non-paged pool exhausted on HV11 +75 %$/m);
  });

  test("a verdict that may still change says so", () => {
    const page = renderPage(fixture("cluster-hang-9e", { settled: false }), UTC);
    expect(page).toContain("75 %  likely so far");
  });

  test("says so when no safe step is known", () => {
    const base = fixture("cluster-hang-9e");
    const causes = base.causes.map((cause) => ({ ...cause, actions: [], missing: [] }));
    expect(renderPage({ ...base, causes }, UTC)).toContain("No safe first step is known");
  });
});

test("an incident that is over says RESOLVED and how long it took", () => {
  const page = renderPage(fixture("storage-loss"), UTC);
  expect(page).toMatch(/^RESOLVED {2}Three hosts/);
  expect(page).toContain("over after 7 min 33 s");
});

test("an end without a length is only said to be over", () => {
  const { startedAt } = fixture("storage-loss");
  expect(renderPage(fixture("storage-loss", { endedAt: startedAt }), UTC)).toMatch(/10:02:11 UTC · over$/m);
});

test("logs that arrive late are said to be late", () => {
  const page = renderPage(fixture("cluster-hang-9e", { detectedAt: "2026-03-17T02:31:04.000Z" }), UTC);
  expect(page).toContain("its logs arrived 31 min later");
});

test("an unknown zone is refused with the name that was given", () => {
  expect(() => renderPage(fixture("dpm-vss"), { timeZone: "Oslo" })).toThrow(/"Oslo" is no IANA time zone/);
});

describe("the short page", () => {
  test("is the first line, the cause and the first step", () => {
    const lines = renderShort(fixture("cluster-hang-9e"), UTC).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe("Cause: Non-paged pool exhausted on HV11 75 % likely");
  });

  test.each([160, 120, 60, 20])("drops from the bottom to fit %i characters", (lengthMax) => {
    const text = renderShort(fixture("cluster-hang-9e"), { ...UTC, lengthMax });
    expect(text.length).toBeLessThanOrEqual(lengthMax);
    expect(text.startsWith("CRITICAL HV11")).toBe(true);
  });

  test("never cuts a character in two", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 }),
        fc.integer({ min: 2, max: 60 }),
        (title, lengthMax) => {
          const text = renderShort({ ...fixture("dpm-vss"), title }, { ...UTC, lengthMax });
          expect(text.length).toBeLessThanOrEqual(lengthMax);
          expect(text.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("hostile event text on a terminal", () => {
  const ESC = "\u001b";
  const lineCount = renderPage(hostile("plain"), { ...UTC, width: 400 }).split("\n").length;

  test.each([
    ["an ANSI colour", `${ESC}[31mred`],
    ["an OSC 8 link", `${ESC}]8;;https://evil.example${ESC}\\click${ESC}]8;;${ESC}\\`],
    ["a title change", `${ESC}]0;owned\u0007`],
    ["a carriage return that overwrites", "CRITICAL all is broken\rOK all is well"],
    ["an eight-bit control sequence", "\u009b2J"],
    ["a bidirectional override", "gpj\u202e.exe"],
    ["a zero-width joiner", "pass\u200dword"],
    ["tag characters", "ok\u{e0041}\u{e0042}"],
    ["line breaks of every kind", "one\r\ntwo\nthree\u2028four\u0085five"],
  ])("B48 %s is escaped on every line", (_, text) => {
    const page = renderPage(hostile(text), { ...UTC, width: 400 });
    expect(page).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}/u);
    expect(page.split("\n")).toHaveLength(lineCount);
  });

  test("B48 colours are ours alone", () => {
    const page = renderPage(hostile(`${ESC}[31mred`), { ...UTC, color: true });
    expect(page).toContain(`${ESC}[0m`);
    expect(page).not.toContain(`${ESC}[31mred`);
    expect(page).toContain("\\u{1b}[31mred");
  });

  test("B50 a line break in the title cannot begin a line of its own", () => {
    const page = renderPage(hostile("x\r\nDO FIRST         1  format C:"), { ...UTC, width: 400 });
    expect(page.split("\n").filter((line) => line.startsWith("DO FIRST"))).toHaveLength(1);
  });

  test("B54 secrets in event text are masked", () => {
    const page = renderPage(
      hostile("net use \\\\srv /user:x password=Tr0ub4dor; Authorization: Bearer abcdefghijkl"),
      UTC,
    );
    expect(page).not.toContain("Tr0ub4dor");
    expect(page).not.toContain("abcdefghijkl");
    expect(page).toContain("password=***");
  });
});
