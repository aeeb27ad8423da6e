/** docker-compose.yml and what stands beside it: valid where no engine can say so, and in step with the code. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse, parseDocument } from "yaml";
import { MESSAGE_MAX_BYTES } from "../packages/bus/src/frame.ts";
import { Config } from "../packages/cli/src/config.ts";
import { ALL_TOPICS } from "../packages/model/src/index.ts";
import { checkConfig } from "../packages/runtime/src/index.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly build?: { readonly dockerfile: string };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly environment?: Readonly<Record<string, unknown>>;
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;

test("the compose file is YAML without errors, warnings or keys given twice", () => {
  const document = parseDocument(read("docker-compose.yml"), { merge: true });
  expect([...document.errors, ...document.warnings]).toEqual([]);
});

test("the compose file holds a broker and the four services, each of the one image", () => {
  expect(Object.keys(compose.services).sort()).toEqual(["console", "correlate", "ingest", "kafka", "notify", "topics"]);
  for (const name of ["ingest", "correlate", "notify", "console"]) {
    const service = compose.services[name];
    expect(service?.command?.[0], name).toBe(name);
    expect(existsSync(join(ROOT, service?.build?.dockerfile ?? "missing")), name).toBe(true);
  }
  expect(compose.services["kafka"]?.environment).toMatchObject({ KAFKA_PROCESS_ROLES: "broker,controller" });
});

test("whatever a service names in the compose file is there", () => {
  for (const [name, service] of Object.entries(compose.services)) {
    for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services, name).toHaveProperty(other);
    for (const volume of service.volumes ?? [])
      expect(compose.volumes, name).toHaveProperty(volume.split(":")[0] ?? "");
    for (const secret of service.secrets ?? []) expect(compose.secrets, name).toHaveProperty(secret);
    for (const { source } of service.configs ?? []) expect(compose.configs, name).toHaveProperty(source);
    const [, program, script] = service.healthcheck?.test ?? [];
    if (program === "node") expect(existsSync(join(ROOT, (script ?? "").replace("/app/", ""))), name).toBe(true);
    const waited = Object.entries(service.depends_on ?? {}).filter(
      ([, { condition }]) => condition === "service_healthy",
    );
    for (const [other] of waited) expect(compose.services[other]?.healthcheck, other).toBeDefined();
  }
  for (const { file } of Object.values(compose.configs)) expect(existsSync(join(ROOT, file)), file).toBe(true);
});

test("F9 the topics that are made are those of the model, kept as the model says", () => {
  const script = compose.services["topics"]?.command?.join("\n") ?? "";
  const made = [...script.matchAll(/^topic (\S+) (\d+) (\S+) (\S+)$/gm)].map(([, name, , policy, more]) => [
    name,
    policy,
    more,
  ]);
  const wanted = ALL_TOPICS.map(({ name, retention }) =>
    retention.kind === "compacted"
      ? [name, "cleanup.policy=compact", "min.cleanable.dirty.ratio=0.1"]
      : [name, "cleanup.policy=delete", `retention.ms=${retention.retentionMs}`],
  );
  expect(made.sort()).toEqual(wanted.sort());
  const partitions = new Map([...script.matchAll(/^topic (\S+) (\d+)/gm)].map(([, name, count]) => [name, count]));
  expect(partitions.get("state")).toBe(partitions.get("signals"));
});

test("the broker takes the largest message that the services write", () => {
  expect(Number(compose.services["kafka"]?.environment?.["KAFKA_MESSAGE_MAX_BYTES"])).toBeGreaterThan(
    MESSAGE_MAX_BYTES,
  );
});

test("the example config is one that Culprit accepts", () => {
  // The token's file is there only in a container; here a variable stands in for it.
  const text = read("infra/culprit.yaml").replace("tokenFile: /run/secrets/ingest-token", "token: $" + "{TOKEN}");
  const result = checkConfig({ schema: Config, file: "infra/culprit.yaml", text, environment: { TOKEN: "t" } });
  expect(result).toMatchObject({ ok: true, value: { ingest: { tokens: [{ name: "forwarders" }] } } });
});
