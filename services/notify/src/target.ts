/**
 * One target's queue and worker. The queue holds incidents, not messages: whatever happened while it waited, the worker
 * looks at what is so now and at what the target was told, and sends the difference. So revisions collapse, order holds
 * per incident, and a slow target delays nobody else.
 *
 * Each attempt is recorded before and after. An attempt that fails is tried again with full jitter; a target that keeps
 * failing is left alone for a while (`Breaker`); what it does not take in `giveUpAfterMs`, or refuses, goes to its
 * fallback as well.
 */
import type { Delivery, EpochMs, Incident, IncidentId } from "@culprit/model";
import type { Clock } from "@culprit/runtime";
import { backoffMs } from "./backoff.ts";
import { Breaker } from "./breaker.ts";
import { isToBeAsked, withClosing } from "./closing.ts";
import { type Decision, decide } from "./decision.ts";
import type { DeliveryEvent, Desk } from "./desk.ts";
import { resultOfFault } from "./http.ts";
import { inTime } from "./in-time.ts";
import type { Notifier, SendResult } from "./notifier.ts";
import { Rate, type RateOptions } from "./rate.ts";
import { adopt, isOvertaken, newRecord, oldestPage, withIntent, withOutcome } from "./record.ts";
import { Storm, type StormOptions } from "./storm.ts";

export interface TargetOptions {
  readonly name: string;
  readonly notifier: Notifier;
  readonly hasFallback: boolean;
  readonly rate: RateOptions;
  /** One attempt may take this long. */
  readonly timeoutMs: number;
  readonly giveUpAfterMs: number;
  /** How long nothing is tried after the target has refused our credentials. */
  readonly authPauseMs: number;
  readonly groupWaitMs: number;
  readonly updateEveryMs: number;
  readonly repeatMs?: number;
  readonly keepAliveMs?: number;
  /** When more new pages than this wait for the rate one page stands for them; never unless given. */
  readonly digestOver?: number;
  /** Incidents that may wait; what comes above is found again by the next look at everything. */
  readonly queueMax: number;
}

export interface TargetContext {
  readonly desk: Desk;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: (event: DeliveryEvent) => void;
}

interface Waiting {
  /** Since when the incident waits for this target. */
  readonly since: EpochMs;
  readonly notBefore: EpochMs;
  /** After a failure: news does not shorten the wait. */
  readonly failed: boolean;
  /** As of the last offer, which comes with every change: asking anew for each would take time in a storm. */
  readonly isCritical: boolean;
}

type Tell = StormOptions["tell"];
type Send = Parameters<Tell>[1];

/** Sends that may follow each other for one incident before the others get their turn. */
const ROUNDS_MAX = 4;
const IDLE_MS = 60_000;
/** Closed pages that may wait for their proof; the next sweep finds the others. */
const PROOFS_MAX = 50;

export class Target {
  readonly #options: TargetOptions;
  readonly #context: TargetContext;
  readonly #waiting = new Map<IncidentId, Waiting>();
  readonly #breaker = new Breaker();
  readonly #rate: Rate;
  readonly #storm: Storm | undefined;
  /** Closed pages that the target is to be asked about. */
  readonly #unproven = new Set<IncidentId>();
  #refusedUntil: EpochMs = 0;
  #leftOut = false;
  #nap = new AbortController();

  constructor(options: TargetOptions, context: TargetContext) {
    this.#options = options;
    this.#context = context;
    this.#rate = new Rate(options.rate, context.clock.now());
    const { name: notifier, digestOver, updateEveryMs } = options;
    const tell: Tell = (incident, decision) => this.#tell(incident, undefined, decision);
    if (digestOver !== undefined)
      this.#storm = new Storm({ notifier, digestOver, updateEveryMs, desk: context.desk, tell });
  }

  get name(): string {
    return this.#options.name;
  }

  /** Incidents that wait, including those that wait for a later time. */
  get depth(): number {
    return this.#waiting.size;
  }

  get isDown(): boolean {
    return this.#breaker.isOpen || this.#context.clock.now() < this.#refusedUntil;
  }

  /** Says that an incident may have news for this target. */
  offer(id: IncidentId): void {
    const now = this.#context.clock.now();
    const held = this.#waiting.get(id);
    if (held?.failed === true) return;
    if (held === undefined && this.#waiting.size >= this.#options.queueMax) {
      this.#leftOut = true;
      this.#context.observe({ kind: "queue-full", notifier: this.name });
      return;
    }
    const isCritical = this.#isCritical(id);
    this.#waiting.set(id, { since: held?.since ?? now, notBefore: now, failed: false, isCritical });
    this.#nap.abort();
  }

  /** As `offer`, where nothing new is known of the incident: only if there is something to send now. */
  offerIfDue(id: IncidentId): void {
    const incident = this.#context.desk.ownIncident(id);
    if (incident === undefined || this.#waiting.has(id)) return;
    const decision = this.#decide(incident, this.#context.desk.record(id, this.name));
    if (decision.act !== "none" || decision.until !== undefined) this.offer(id);
  }

  /** Says which of its closed pages the target may be asked about; what it cannot be asked costs nothing. */
  prove(ids: Iterable<IncidentId>): void {
    if (this.#options.notifier.isOpen === undefined) return;
    for (const id of ids) {
      const record = this.#context.desk.record(id, this.name);
      const isDue = record !== undefined && isToBeAsked(record, this.#context.clock.now());
      if (isDue && this.#unproven.size < PROOFS_MAX) this.#unproven.add(id);
    }
    if (this.#unproven.size > 0) this.#nap.abort();
  }

  /** Works until the signal is aborted; an attempt in flight is finished and recorded. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#lookAtStorm();
      const now = this.#context.clock.now();
      const pause = Math.max(this.#down(now), this.#rate.waitMs(now));
      const next = pause > 0 ? undefined : this.#nextDue(now);
      const closed = pause > 0 || next !== undefined ? undefined : this.#takeClosed();
      if (closed !== undefined) await this.#prove(closed);
      else if (next === undefined) {
        if (this.#leftOut && this.#waiting.size === 0) {
          this.#leftOut = false;
          this.#context.desk.offerDue(this.name);
        }
        await this.#handOverWaiting(now);
        await this.#rest(now, pause, signal);
      } else {
        this.#waiting.delete(next[0]);
        await this.#attempt(next[0], next[1], signal);
      }
    }
  }

  async #attempt(id: IncidentId, waiting: Waiting, signal: AbortSignal): Promise<void> {
    try {
      await this.#work(id, waiting, signal);
    } catch (fault) {
      // A record could not be stored: nothing more is sent about the incident until it can.
      this.#context.observe(sentEvent(this.name, id, "trigger", resultOfFault(fault)));
      this.#retry(id, waiting.since, 1, undefined);
    }
  }

  async #work(id: IncidentId, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { desk, clock, observe } = this.#context;
    for (let round = 0; round < ROUNDS_MAX && !signal.aborted; round += 1) {
      const incident = desk.ownIncident(id);
      if (incident === undefined) return;
      const record = await this.#withAdoptedPage(incident);
      const decision = this.#decide(incident, record);
      if (decision.act === "none") {
        observe({ kind: "quiet", notifier: this.name, reason: decision.reason });
        if (decision.until !== undefined) this.#wait(id, decision.until, clock.now(), false);
        return;
      }
      const result = await this.#tell(incident, record, decision);
      if (!(await this.#after(result, incident, waiting, decision.act))) return;
      if (this.#rate.waitMs(clock.now()) > 0) break;
    }
    this.offer(id);
  }

  /** Sends what was decided, recorded before and after. */
  async #tell(incident: Incident, record: Delivery | undefined, { act, reason }: Send): Promise<SendResult> {
    const { desk, clock, observe } = this.#context;
    const known = record ?? desk.record(incident.id, this.name) ?? newRecord(incident, this.name);
    const intent = withIntent(known, incident, { action: act, reason, now: clock.now() });
    await desk.store([intent]);
    const result = await this.#send(incident, intent, reason);
    const latest = desk.record(incident.id, this.name);
    if (!isOvertaken(intent, latest)) await desk.store([withOutcome(intent, incident, result, clock.now())]);
    observe(sentEvent(this.name, incident.id, act, result));
    return result;
  }

  /** While the target takes anything, a digest stands for the new pages that its rate holds back. */
  async #lookAtStorm(): Promise<void> {
    const now = this.#context.clock.now();
    if (this.#storm === undefined || this.#down(now) > 0) return;
    const { digestOver = Infinity } = this.#options;
    const isLimited = this.#rate.waitMs(now) > 0 && this.#waiting.size > digestOver;
    // A record that could not be stored is written with the next look.
    await this.#storm.look(now, isLimited, () => this.#untold()).catch(() => undefined);
  }

  /** Incidents that wait to be told for the first time. */
  #untold(): readonly Incident[] {
    const { desk } = this.#context;
    return [...this.#waiting.keys()].flatMap((id) => {
      const incident = desk.ownIncident(id);
      if (incident === undefined) return [];
      return this.#decide(incident, desk.record(id, this.name)).act === "trigger" ? [incident] : [];
    });
  }

  /** Milliseconds until the target may be asked anything again, apart from its rate. */
  #down(now: EpochMs): number {
    return Math.max(this.#breaker.waitMs(now), this.#refusedUntil - now);
  }

  /** What a result means for the target and the incident; answers whether to go on with the incident at once. */
  async #after(result: SendResult, incident: Incident, waiting: Waiting, act: Decision["act"]): Promise<boolean> {
    const now = this.#context.clock.now();
    const record = this.#context.desk.record(incident.id, this.name);
    const since = Math.min(waiting.since, record?.intent?.since ?? now);
    switch (result.result) {
      case "ok":
        this.#breaker.succeeded();
        this.#refusedUntil = 0;
        return true;
      case "later":
        this.#breaker.failed(now);
        if (result.retryAfterMs !== undefined) this.#breaker.pauseUntil(now + result.retryAfterMs);
        this.#retry(incident.id, since, record?.intent?.attempts ?? 1, result.retryAfterMs);
        if (act === "trigger" && now - since >= this.#options.giveUpAfterMs) await this.#handOver(incident);
        return false;
      case "auth":
        this.#refusedUntil = now + this.#options.authPauseMs;
        this.#wait(incident.id, this.#refusedUntil, since, true);
        if (act === "trigger") await this.#handOver(incident);
        return false;
      case "never":
        // An answer, so the target is well; this message is not taken.
        this.#breaker.succeeded();
        if (act === "trigger") await this.#handOver(incident);
        return false;
    }
  }

  #takeClosed(): IncidentId | undefined {
    const [id] = this.#unproven;
    if (id !== undefined) this.#unproven.delete(id);
    return id;
  }

  /** Asks whether a closed page is closed, and has it closed again where it is not. */
  async #prove(id: IncidentId): Promise<void> {
    const { desk, clock, observe } = this.#context;
    const { notifier, timeoutMs } = this.#options;
    const record = desk.ownIncident(id) === undefined ? undefined : desk.record(id, this.name);
    if (record === undefined || !isToBeAsked(record, clock.now())) return;
    this.#rate.take(clock.now());
    const { key, remote } = record;
    const asked = async (signal: AbortSignal) => notifier.isOpen?.({ key, remote }, signal);
    // Who cannot be asked now is asked with the next sweep.
    const isOpen = await inTime(asked, { clock, timeoutMs, otherwise: undefined }).catch(() => undefined);
    if (isOpen === undefined) return;
    const next = withClosing(record, isOpen);
    const stored = await desk.store([next]).then(
      () => true,
      () => false,
    );
    if (!stored || !isOpen) return;
    observe({ kind: "still-open", notifier: this.name, incident: id, times: next.closing?.stillOpen ?? 1 });
    this.offer(id);
  }

  #decide(incident: Incident, record: Delivery | undefined): Decision {
    const { desk, clock } = this.#context;
    const { groupWaitMs, updateEveryMs, repeatMs, keepAliveMs } = this.#options;
    return decide({
      incident,
      record,
      parentRecord: incident.parent === undefined ? undefined : desk.record(incident.parent, this.name),
      ...desk.outlook(incident, this.name),
      now: clock.now(),
      groupWaitMs,
      updateEveryMs,
      ...(repeatMs === undefined ? {} : { repeatMs }),
      ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    });
  }

  /** The incident's record, after taking over the page of a child that it now explains. */
  async #withAdoptedPage(incident: Incident): Promise<Delivery | undefined> {
    const { desk } = this.#context;
    const record = desk.record(incident.id, this.name);
    if (incident.children.length === 0 || (record !== undefined && record.held !== "none")) return record;
    const own = record ?? newRecord(incident, this.name);
    if (this.#decide(incident, record).act !== "trigger") return record;
    const children = incident.children.flatMap((child) => desk.record(child, this.name) ?? []);
    const child = oldestPage(children);
    const adopted = child === undefined ? undefined : adopt(own, child);
    if (adopted === undefined) return record;
    await desk.store([adopted.parent, adopted.child]);
    return adopted.parent;
  }

  async #send(incident: Incident, record: Delivery, reason: string): Promise<SendResult> {
    const { desk, clock } = this.#context;
    const now = clock.now();
    this.#rate.take(now);
    const action = record.intent?.action ?? "trigger";
    const page = desk.compose(incident, this.name);
    const { key, remote } = record;
    const since = record.intent?.since ?? now;
    const sending = (signal: AbortSignal): Promise<SendResult> =>
      this.#options.notifier
        .send({ key, action, reason, incident, page, remote, at: now, since, test: false }, signal)
        .catch(resultOfFault);
    const { timeoutMs } = this.#options;
    const otherwise: SendResult = { result: "later", detail: `no answer within ${timeoutMs} ms`, uncertain: true };
    return inTime(sending, { clock, timeoutMs, otherwise });
  }

  async #handOver(incident: Incident): Promise<void> {
    const { desk, clock, observe } = this.#context;
    if (!this.#options.hasFallback) return;
    const record = desk.record(incident.id, this.name) ?? newRecord(incident, this.name);
    if (record.handedOverAt !== undefined) return;
    await desk.store([{ ...record, step: record.step + 1, handedOverAt: clock.now() }]);
    observe({ kind: "handed-over", notifier: this.name, incident: incident.id });
    desk.handOver(incident.id, this.name);
  }

  /** While nothing can be sent, what has waited too long goes to the fallback without an attempt of its own. */
  async #handOverWaiting(now: EpochMs): Promise<void> {
    if (!this.#options.hasFallback) return;
    const patience = now < this.#refusedUntil ? 0 : this.#options.giveUpAfterMs;
    for (const [id, { since }] of [...this.#waiting]) {
      const incident = this.#context.desk.ownIncident(id);
      if (incident === undefined || now - since < patience) continue;
      const record = this.#context.desk.record(id, this.name);
      if (this.#decide(incident, record).act !== "trigger") continue;
      // What cannot be stored now is looked at again with the next rest.
      await this.#handOver(incident).catch(() => undefined);
    }
  }

  #retry(id: IncidentId, since: EpochMs, attempt: number, retryAfterMs: number | undefined): void {
    const wait = backoffMs(attempt, retryAfterMs, this.#context.random());
    this.#wait(id, this.#context.clock.now() + wait, since, true);
  }

  #wait(id: IncidentId, notBefore: EpochMs, since: EpochMs, failed: boolean): void {
    this.#waiting.set(id, { since, notBefore, failed, isCritical: this.#isCritical(id) });
  }

  /** The gravest incident that may be sent now; of equals the one that waits longest. */
  #nextDue(now: EpochMs): readonly [IncidentId, Waiting] | undefined {
    let best: readonly [IncidentId, Waiting] | undefined;
    for (const entry of this.#waiting) {
      if (entry[1].notBefore > now) continue;
      if (entry[1].isCritical) return entry;
      best ??= entry;
    }
    return best;
  }

  #isCritical(id: IncidentId): boolean {
    return this.#context.desk.ownIncident(id)?.severity === "critical";
  }

  async #rest(now: EpochMs, pause: number, signal: AbortSignal): Promise<void> {
    let wait = pause > 0 ? pause : IDLE_MS;
    for (const { notBefore, since } of this.#waiting.values()) {
      if (pause <= 0) wait = Math.min(wait, notBefore - now);
      const patience = since + this.#options.giveUpAfterMs - now;
      if (patience > 0) wait = Math.min(wait, patience);
    }
    this.#nap = new AbortController();
    if (pause <= 0 && this.#nextDue(now) !== undefined) return;
    await this.#context.clock.sleep(Math.max(1, wait), AbortSignal.any([signal, this.#nap.signal]));
  }
}

function sentEvent(notifier: string, incident: IncidentId, action: string, result: SendResult): DeliveryEvent {
  const detail = result.result === "ok" ? "" : result.detail;
  return { kind: "sent", notifier, incident, action, result: result.result, detail };
}
