/**
 * From an event to its signals: the rules it meets, the values they bind, the machines it names and the facts it teaches.
 * Stateless but for the topology, which says what is known of those machines.
 */
import {
  contentId,
  dataEntries,
  type EpochMs,
  type EventId,
  type EventRef,
  eventIdentity,
  type Fact,
  foldHost,
  type HostRelations,
  positionalValue,
  type Signal,
  type SignalId,
  sameHost,
  shortName,
  type WindowsEvent,
} from "@culprit/model";
import type { BindingSource, CodeTables, DetectionInfo } from "@culprit/rules";
import { RE2JS } from "re2js";
import { DecodedFields } from "./decoded-fields.ts";
import { relationsOf, resolveHost, type Topology } from "./topology.ts";

const SUMMARY_LENGTH_MAX = 500;
const BINDING_LENGTH_MAX = 300;
const PATTERN_INPUT_MAX = 8_192;

/** Names of the rules an event meets, and a way to read its fields as rules do. */
export interface RuleMatcher {
  match(event: WindowsEvent, decoded: DecodedFields): readonly string[];
  field(event: WindowsEvent, name: string, decoded: DecodedFields): string | undefined;
}

export interface Matched {
  readonly signals: readonly Signal[];
  readonly facts: readonly Fact[];
}

const NOTHING: Matched = { signals: [], facts: [] };

/**
 * Matches one event.
 * Units: `receivedAt` is when it reached us, by the forwarder's stamp or the input's order.
 */
export function matchEvent(
  event: WindowsEvent,
  receivedAt: EpochMs,
  {
    matcher,
    detections,
    tables,
    topology,
  }: {
    readonly matcher: RuleMatcher;
    /** Detections that some playbook asks for; matches of others make no signal. */
    readonly detections: ReadonlyMap<string, DetectionInfo>;
    readonly tables: CodeTables;
    readonly topology: Topology;
  },
): Matched {
  const decoded = new DecodedFields(event, tables);
  const rules = matcher.match(event, decoded);
  if (rules.length === 0) return NOTHING;
  const ref = eventRef(event, eventIdentity(event));
  const signals: Signal[] = [];
  const facts: Fact[] = [];
  for (const rule of rules) {
    const detection = detections.get(rule);
    if (detection === undefined) continue;
    const bindings = bind(detection, event, decoded, matcher);
    const signal = signalOf(detection, event, ref, bindings, receivedAt, topology);
    signals.push(signal);
    facts.push(...factsOf(detection, signal));
  }
  return { signals, facts };
}

function eventRef(event: WindowsEvent, id: EventId): EventRef {
  return {
    id,
    host: event.host,
    provider: event.provider,
    eventId: event.eventId,
    channel: event.channel,
    level: event.level,
    at: event.timeCreated,
    ...(event.recordId === undefined ? {} : { recordId: event.recordId }),
    summary: summaryOf(event),
  };
}

/** The message with the data it leaves out: people search for the values. */
function summaryOf(event: WindowsEvent): string {
  const message = (event.message ?? "").replace(/\s+/g, " ").trim();
  const rest: string[] = [];
  for (const [name, value] of dataEntries(event.data)) {
    if (value === "" || name === "Binary" || message.includes(value)) continue;
    rest.push(/^param\d+$/.test(name) ? value : `${name}=${value}`);
  }
  const text = [message, rest.join(", ")]
    .filter((part) => part !== "")
    .join(" · ")
    .replace(/\s+/g, " ");
  return text.length <= SUMMARY_LENGTH_MAX ? text : `${text.slice(0, SUMMARY_LENGTH_MAX - 1)}…`;
}

function bind(
  detection: DetectionInfo,
  event: WindowsEvent,
  decoded: DecodedFields,
  matcher: RuleMatcher,
): Record<string, string> {
  const bindings: Record<string, string> = {};
  const put = (name: string, value: string | undefined): void => {
    const text = value?.trim();
    if (text === undefined || text === "" || Object.hasOwn(bindings, name)) return;
    bindings[name] = text.length <= BINDING_LENGTH_MAX ? text : text.slice(0, BINDING_LENGTH_MAX);
  };
  for (const [name, sources] of Object.entries(detection.extension.bind)) {
    for (const source of Array.isArray(sources) ? sources : [sources]) {
      for (const [key, value] of readSource(name, source, event, decoded, matcher)) put(key, value);
    }
  }
  return bindings;
}

function* readSource(
  name: string,
  source: BindingSource,
  event: WindowsEvent,
  decoded: DecodedFields,
  matcher: RuleMatcher,
): Generator<readonly [string, string | undefined]> {
  const read = (field: string | number): string | undefined =>
    typeof field === "number" ? positionalValue(event.data, field - 1) : matcher.field(event, field, decoded);
  if (typeof source !== "object") {
    yield [name, read(source)];
    return;
  }
  const text = read(source.field)?.slice(0, PATTERN_INPUT_MAX);
  if (text === undefined) return;
  const found = compiled(source.pattern).matcher(text);
  if (!found.find()) return;
  let own = false;
  for (const group of groupsIn(source.pattern)) {
    if (group === name) own = true;
    yield [group, found.group(group) ?? undefined];
  }
  if (!own) yield [name, (found.groupCount() > 0 ? found.group(1) : found.group(0)) ?? undefined];
}

const patterns = new Map<string, RE2JS>();
/** Patterns come from detections, never from events, so this holds at most one entry per detection source. */
function compiled(pattern: string): RE2JS {
  const held = patterns.get(pattern);
  if (held !== undefined) return held;
  const fresh = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  patterns.set(pattern, fresh);
  return fresh;
}

const groupNames = new Map<string, readonly string[]>();
function groupsIn(pattern: string): readonly string[] {
  const held = groupNames.get(pattern);
  if (held !== undefined) return held;
  const names = [...pattern.matchAll(/\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>/g)].map((match) => match[1] as string);
  groupNames.set(pattern, names);
  return names;
}

function signalOf(
  detection: DetectionInfo,
  event: WindowsEvent,
  ref: EventRef,
  bindings: Readonly<Record<string, string>>,
  receivedAt: EpochMs,
  topology: Topology,
): Signal {
  const { extension } = detection;
  const subjectName = extension.subject === undefined ? undefined : foldHost(bindings[extension.subject] ?? "");
  const subject = subjectName === undefined ? undefined : resolveHost(topology, subjectName, event.host);
  const named = extension.hosts.flatMap((name) => foldHost(bindings[name] ?? "") ?? []);
  const said = [...(subjectName === undefined ? [] : [subjectName]), ...named];
  return {
    id: contentId("signal", detection.name, ref.id) as SignalId,
    rule: detection.name,
    event: ref,
    host: event.host,
    ...(subject === undefined || subject === event.host ? {} : { subject }),
    bindings: { ...bindings },
    at: event.timeCreated,
    receivedAt,
    hosts: relationsOfAll(
      [event.host, ...(subject === undefined ? [] : [subject]), ...named],
      event.host,
      event.timeCreated,
      topology,
    ),
    ...(said.length === 0 ? {} : { said }),
  };
}

function relationsOfAll(names: readonly string[], speaker: string, at: EpochMs, topology: Topology): HostRelations[] {
  const seen = new Map<string, HostRelations>();
  for (const name of names) {
    const full = resolveHost(topology, name, speaker);
    if (!seen.has(shortName(full))) seen.set(shortName(full), relationsOf(topology, full, at));
  }
  return [...seen.values()];
}

/** Works out again what is known of the machines of a signal, from the names it was told, after something was learned. */
export function refreshSignal(signal: Signal, topology: Topology): Signal {
  const { host, at, said = signal.hosts.map((known) => known.host) } = signal;
  const { subject: before, ...rest } = signal;
  const named = before === undefined ? undefined : (said.find((name) => sameHost(name, before)) ?? before);
  const subject = named === undefined ? undefined : resolveHost(topology, named, host);
  return {
    ...rest,
    ...(subject === undefined || subject === host ? {} : { subject }),
    hosts: relationsOfAll([host, ...said], host, at, topology),
  };
}

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

function factsOf(detection: DetectionInfo, signal: Signal): Fact[] {
  const facts: Fact[] = [];
  for (const { kind, from, to } of detection.extension.facts) {
    const [a, b] = [fill(from, signal), fill(to, signal)];
    if (a !== undefined && b !== undefined && shortName(a.toLowerCase()) !== shortName(b.toLowerCase()))
      facts.push({ kind, from: a, to: b, validFrom: signal.at, source: "learned" });
  }
  return facts;
}

/** `undefined` when a value the template asks for is not there. */
function fill(template: string, signal: Signal): string | undefined {
  let whole = true;
  const text = template.replace(PLACEHOLDER, (_all, name: string) => {
    const logger = signal.hosts[0];
    const value =
      name === "computer"
        ? signal.host
        : name === "cluster"
          ? logger?.cluster
          : name === "domain"
            ? logger?.domain
            : signal.bindings[name];
    if (value === undefined) whole = false;
    return value ?? "";
  });
  return whole && text.trim() !== "" ? text.trim() : undefined;
}
