/**
 * Apache Kafka's own jars, fetched once by Maven into the machine's cache, and the Java that runs them. `undefined` where the
 * machine has no Java, or neither the jars nor a Maven that can fetch them.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const KAFKA_VERSION = "4.1.1";
const FETCH_TIMEOUT_MS = 300_000;

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>culprit</groupId><artifactId>test-broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
  </dependencies>
</project>
`;

export interface KafkaJars {
  readonly java: string;
  readonly classpath: string;
}

/** Finds the jars, fetching them where they are not there yet. */
export function findKafkaJars(): KafkaJars | { readonly missing: string } {
  const java = process.env["JAVA_HOME"] === undefined ? "java" : join(process.env["JAVA_HOME"], "bin", "java");
  if (!runs(java, "-version")) return { missing: "no Java" };
  const dir = join(cacheDir(), `kafka-${KAFKA_VERSION}`);
  if (!existsSync(dir)) {
    if (!runs("mvn", "-version")) return { missing: "Java, but no Maven to fetch Kafka's jars" };
    const problem = fetchJars(dir);
    if (problem !== undefined) return { missing: `Kafka's jars could not be fetched: ${problem}` };
  }
  return { java, classpath: join(dir, "*") };
}

function cacheDir(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "culprit-tests");
}

/** All of them or none: they are fetched beside the place and moved there. */
function fetchJars(dir: string): string | undefined {
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(join(cacheDir(), "fetching-"));
  try {
    const pom = join(work, "pom.xml");
    const jars = join(work, "jars");
    writeFileSync(pom, POM);
    const goal = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
    execFileSync("mvn", goal, { stdio: "pipe", timeout: FETCH_TIMEOUT_MS });
    if (!readdirSync(jars).some((name) => name.startsWith("kafka_2.13"))) return "Maven brought none";
    if (!existsSync(dir)) renameSync(jars, dir);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function runs(program: string, argument: string): boolean {
  try {
    execFileSync(program, [argument], { stdio: "ignore", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}
