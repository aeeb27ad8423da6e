/** Counters, gauges and histograms of one process, and their text for Prometheus. Names are `<noun>_<what>_<unit>`, few labels, never a host name. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";

const PREFIX = "culprit_";

/** How often the process looks at itself: the library's own rates cost an idle service one per cent of a core. */
const SELDOM = { eventLoopMonitoringPrecision: 100, eventLoopUtilizationTimeout: 5_000 } as const;

type Labels = Readonly<Record<string, string>>;

export interface CountMetric {
  add(count?: number, labels?: Labels): void;
}

export interface ValueMetric {
  set(value: number, labels?: Labels): void;
}

export interface DurationMetric {
  /** Units: seconds. */
  observe(seconds: number, labels?: Labels): void;
}

export interface Metrics {
  /** Asking twice for a name gives the same counter. */
  counter(name: string, help: string, labels?: readonly string[]): CountMetric;
  gauge(name: string, help: string, labels?: readonly string[]): ValueMetric;
  histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): DurationMetric;
  /** Reads numbers at each scrape: names in `_total` are counters, others gauges. The set of names may grow. */
  observe(prefix: string, help: string, read: () => Readonly<Record<string, number>>): void;
  /** The sum of a metric over all labels that match; 0 where there is none. For tests and health checks. */
  valueOf(name: string, labels?: Labels): Promise<number>;
  readonly contentType: string;
  text(): Promise<string>;
}

/** Metrics of their own registry; `process` adds memory, event loop and descriptors of this process. */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry, ...SELDOM });
  const sources: { readonly prefix: string; readonly help: string; read(): Readonly<Record<string, number>> }[] = [];

  function made<T>(name: string, make: (full: string) => T): T {
    const full = PREFIX + name;
    return (registry.getSingleMetric(full) as T | undefined) ?? make(full);
  }
  const common = (name: string, help: string, labels: readonly string[]) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });

  function readSources(): void {
    for (const { prefix, help, read } of sources) {
      for (const [what, value] of Object.entries(read())) {
        const name = `${prefix}_${what}`;
        if (!what.endsWith("_total")) {
          made(name, (full) => new Gauge(common(full, help, []))).set(value);
        } else {
          const counter = made(name, (full) => new Counter(common(full, help, [])));
          counter.reset();
          counter.inc(value);
        }
      }
    }
  }

  return {
    counter(name, help, labels = []) {
      const counter = made(name, (full) => new Counter<string>(common(full, help, labels)));
      return { add: (count = 1, of = {}) => counter.inc({ ...of }, count) };
    },
    gauge(name, help, labels = []) {
      const gauge = made(name, (full) => new Gauge<string>(common(full, help, labels)));
      return { set: (value, of = {}) => gauge.set({ ...of }, value) };
    },
    histogram(name, help, buckets, labels = []) {
      const histogram = made(
        name,
        (full) => new Histogram<string>({ ...common(full, help, labels), buckets: [...buckets] }),
      );
      return { observe: (seconds, of = {}) => histogram.observe({ ...of }, seconds) };
    },
    observe(prefix, help, read) {
      sources.push({ prefix, help, read });
    },
    async valueOf(name, labels = {}) {
      readSources();
      const metric = await registry.getSingleMetric(PREFIX + name)?.get();
      const matching = (metric?.values ?? []).filter((value) =>
        Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
      );
      return matching.reduce((sum, { value }) => sum + value, 0);
    },
    contentType: registry.contentType,
    text() {
      readSources();
      return registry.metrics();
    },
  };
}
