/** What `up` and the services on Kafka start alike: knowledge, facts, the bus as the part that closes last. */
import type { Bus } from "@culprit/bus";
import type { Fact } from "@culprit/model";
import type { Knowledge } from "@culprit/rules";
import type { Service } from "@culprit/runtime";
import { Config } from "./config.ts";
import { KNOWLEDGE_DIR, loadKnowledge } from "./knowledge-files.ts";
import { readTopologyFile } from "./topology-file.ts";

/** Our knowledge and the folder of one's own beside it. */
export function configuredKnowledge({ correlate }: Pick<Config, "correlate">): Promise<Knowledge> {
  return loadKnowledge(KNOWLEDGE_DIR, correlate.playbooks === undefined ? [] : [correlate.playbooks]);
}

/** The facts of the topology file, where one is configured. */
export async function configuredFacts({ correlate }: Pick<Config, "correlate">): Promise<readonly Fact[]> {
  return correlate.topology === undefined ? [] : readTopologyFile(correlate.topology);
}

/** Whoever has configured nobody to tell still sees the page. */
export function withTerminal(config: Config["notify"]): Config["notify"] {
  if (config.targets.length > 0) return config;
  return {
    ...config,
    targets: Config.parse({ notify: { targets: [{ name: "terminal", kind: "terminal" }] } }).notify.targets,
  };
}

/** The bus as the part that starts first and closes last. */
export function busService(bus: Bus): Service {
  let failure: string | undefined;
  const failed = bus.broken.then((fault) => {
    failure = fault.message;
    return fault;
  });
  return {
    ready: Promise.resolve(),
    failed,
    health: () => (failure === undefined ? { state: "ok", reasons: [] } : { state: "failed", reasons: [failure] }),
    stop: () => bus.close(),
  };
}

/** A URL of an address that is listened on; over TLS where it is given. */
export function urlOf({
  host,
  port,
  tls,
}: {
  readonly host: string;
  readonly port: number;
  readonly tls?: object;
}): string {
  return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
