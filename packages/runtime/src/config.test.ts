import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { checkConfig, loadConfig } from "./config.ts";
import { problemLine } from "./config-problem.ts";
import { Secret, secretText } from "./secret.ts";

const schema = z.strictObject({
  data: z.string().default("data"),
  ingest: z
    .strictObject({
      port: z.number().int().min(0).max(65_535).default(8088),
      bodyMaxBytes: z.number().int().positive().default(1_000),
      tokens: z.array(z.strictObject({ name: z.string(), token: secretText })).default([]),
      labels: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
});

function problemsOf(text: string, environment: Record<string, string> = {}): readonly string[] {
  const result = checkConfig({ schema, file: "culprit.yaml", text, environment });
  return result.ok ? [] : result.problems.map(problemLine);
}

function configOf(text: string, environment: Record<string, string> = {}): z.output<typeof schema> {
  const result = checkConfig({ schema, file: "culprit.yaml", text, environment });
  if (!result.ok) throw new Error(result.problems.map(problemLine).join("\n"));
  return result.value;
}

test("an empty config is all defaults", () => {
  expect(configOf("")).toEqual({ data: "data", ingest: { port: 8088, bodyMaxBytes: 1_000, tokens: [], labels: {} } });
});

test("an unknown key is refused with its line and the key that was probably meant", () => {
  expect(problemsOf("data: d\ningest:\n  prot: 1\n")).toEqual([
    'culprit.yaml:3:3 ingest.prot: there is no such key; did you mean "port"?',
  ]);
  expect(problemsOf("zzz: 1\n")).toEqual(["culprit.yaml:1:1 zzz: there is no such key; known here: data, ingest"]);
  expect(problemsOf("ingest:\n  tokens:\n    - name: a\n      tokn: x\n")).toEqual([
    "culprit.yaml:3:7 ingest.tokens.0.token: Invalid input: expected string, received undefined (read [secret])",
    'culprit.yaml:4:7 ingest.tokens.0.tokn: there is no such key; did you mean "token"?',
  ]);
});

test("a wrong value says where, what was expected and what was read", () => {
  expect(problemsOf("ingest:\n  port: many\n  bodyMaxBytes: -1\n")).toEqual([
    'culprit.yaml:2:3 ingest.port: Invalid input: expected number, received string (read "many")',
    "culprit.yaml:3:3 ingest.bodyMaxBytes: Too small: expected number to be >0 (read -1)",
  ]);
});

test("B54 a secret is shown nowhere: not in problems, not printed, not as JSON", () => {
  expect(problemsOf("ingest: { tokens: [{ name: a, token: 12345 }] }").join()).not.toContain("12345");
  const [token] = configOf("ingest: { tokens: [{ name: a, token: hush }] }").ingest.tokens;
  expect(token?.token.reveal()).toBe("hush");
  expect([String(token?.token), JSON.stringify(token), `${token?.token}`].join()).not.toContain("hush");
  expect(new Secret("hush")).not.toHaveProperty("text");
});

test("the environment overrides the file, with words joined in any case", () => {
  const value = configOf("ingest: { port: 1 }", {
    CULPRIT__INGEST__PORT: "2",
    CULPRIT__INGEST__BODY_MAX_BYTES: "77",
    CULPRIT__DATA: "/var/lib: odd",
    PATH: "/bin",
  });
  expect(value).toMatchObject({ data: "/var/lib: odd", ingest: { port: 2, bodyMaxBytes: 77 } });
});

test("an environment setting that leads nowhere is refused by name", () => {
  expect(problemsOf("", { CULPRIT__INGEST__PROT: "2" })).toEqual([
    "environment CULPRIT__INGEST__PROT: sets a key that does not exist",
  ]);
});

test("a value that names a variable is that variable, and one that is missing is a problem", () => {
  const text = "ingest:\n  tokens:\n    - name: a\n      token: $" + "{HEC_TOKEN}\n";
  expect(configOf(text, { HEC_TOKEN: "from outside" }).ingest.tokens[0]?.token.reveal()).toBe("from outside");
  expect(problemsOf(text)).toEqual(["culprit.yaml:4:7 ingest.tokens.0.token: the environment has no HEC_TOKEN"]);
});

test("a secret may stand in a file of its own, next to the config", async () => {
  const directory = await mkdtemp(join(tmpdir(), "culprit-config-"));
  await writeFile(join(directory, "token.txt"), "s3cret\n");
  const file = join(directory, "culprit.yaml");
  await writeFile(file, "ingest:\n  tokens:\n    - { name: a, tokenFile: token.txt }\n");
  expect(loadConfig(schema, { file, environment: {} }).ingest.tokens[0]?.token.reveal()).toBe("s3cret");
  await writeFile(file, "ingest:\n  tokens:\n    - { name: a, token: x, tokenFile: token.txt }\n");
  expect(() => loadConfig(schema, { file, environment: {} })).toThrow("give token or tokenFile, not both");
  await writeFile(file, "ingest:\n  tokens:\n    - { name: a, tokenFile: gone.txt }\n");
  expect(() => loadConfig(schema, { file, environment: {} })).toThrow("gone.txt cannot be read (ENOENT)");
  await rm(directory, { recursive: true });
  expect(() => loadConfig(schema, { file, environment: {} })).toThrow(
    expect.objectContaining({ code: "config.unreadable" }),
  );
});

test("B42 alias bombs, duplicate keys, unknown tags and tabs are problems with a line", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [name, of] of ["ba", "cb", "dc", "ed", "fe"].map((pair) => [pair[0], pair[1]])) {
    bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${of}`).join(", ")}]`);
  }
  expect(problemsOf(bomb.join("\n"))[0]).toContain("alias");
  expect(problemsOf("data: a\ndata: b\n")[0]).toMatch(/^culprit\.yaml:2:1: Map keys must be unique/);
  expect(problemsOf("data: !!js/function x\n")[0]).toMatch(/^culprit\.yaml:1:7: Unresolved tag/);
  expect(problemsOf("ingest:\n\tport: 1\n")[0]).toMatch(/^culprit\.yaml:\d+:\d+: /);
  expect(problemsOf("x".repeat(1_000_001))[0]).toContain("the most is 1000000");
});

test("B18 prototype names are keys like any other", () => {
  const { labels } = configOf("ingest: { labels: { constructor: a, toString: b } }").ingest;
  expect(Object.entries(labels)).toEqual([
    ["constructor", "a"],
    ["toString", "b"],
  ]);
  expect(problemsOf("__proto__: { polluted: 1 }\n")).toHaveLength(1);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("whatever the text, checking answers with a value or with problems", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const result = checkConfig({ schema, file: "f", text });
      expect(result.ok || result.problems.length > 0).toBe(true);
    }),
  );
});
