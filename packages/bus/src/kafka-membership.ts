/**
 * Being a member of a group: joining, telling who gets which partition, staying alive, leaving.
 *
 * States: joining (all members come together, one of them makes the plan), then a member that sends heartbeats until the
 * broker says that the group comes together again. Partitions that stay are worked on all the time; one that is taken away
 * is let go first, and the member joins again so that it can be given on. A member that the broker does not know any more,
 * or that has not heard of it for a whole session, owns nothing: what it still does is fenced.
 */
import { type Member, planShares } from "./kafka-assignor.ts";
import { isKind, type Joined, type MemberShare, type Membership, pause, type Wire, WireError } from "./kafka-wire.ts";

const PROTOCOL = "culprit-cooperative";
/** While partitions are on the move the next round comes at once. */
const MOVING_HEARTBEAT_MS = 100;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;

export interface MembershipOptions {
  /** Used by this membership alone, and closed with it. */
  readonly wire: Wire;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceMs: number;
  /** The partitions that are in this member's hands, those being opened or let go among them. */
  owned(): readonly number[];
  /**
   * The partitions that are this member's now: opens new ones, and resolves once those not among them are let go.
   * The answer says whether there were any. `settled` is false while partitions are on their way.
   */
  adopt(partitions: readonly number[], settled: boolean): Promise<boolean>;
  /** Everything is lost: nothing may be said for any partition any more. */
  lose(): void;
  /** How far reading has come, for whoever watches lag. */
  offsets(): ReadonlyMap<number, number>;
}

export class GroupMembership {
  readonly #options: MembershipOptions;
  readonly #leaving = new AbortController();
  readonly #again = new Set<() => void>();
  #member: Membership;
  #told = "";
  #rejoin = false;
  #heardAt = performance.now();
  #rebalances = 0;
  /** Rejects with what makes membership impossible; resolves after `leave`. */
  readonly ended: Promise<void>;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#member = { group: options.group, memberId: "", generation: -1 };
    this.ended = this.#run();
  }

  get rebalances(): number {
    return this.#rebalances;
  }

  /** Asks for another round, after a partition was dropped. */
  rejoin(): void {
    this.#rejoin = true;
    for (const wake of this.#again) wake();
  }

  /** Leaves the group; the partitions have been let go. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    for (const wake of this.#again) wake();
    await this.ended.catch(() => {});
    if (this.#member.memberId !== "") {
      await this.#tellOffsets().catch(() => {});
      await this.#options.wire.leave(this.#member).catch(() => {});
    }
    await this.#options.wire.close();
  }

  async #run(): Promise<void> {
    // The first turn comes after the constructor has returned.
    await Promise.resolve();
    let waitMs = RETRY_FIRST_MS;
    while (!this.#leaving.signal.aborted) {
      try {
        const settled = await this.#round();
        waitMs = RETRY_FIRST_MS;
        await this.#stay(settled ? this.#options.heartbeatMs : MOVING_HEARTBEAT_MS);
      } catch (error) {
        if (this.#leaving.signal.aborted) return;
        if (!(error instanceof WireError)) throw error;
        if (isKind(error, "UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID")) this.#forget(error);
        else if (isKind(error, "REBALANCE_IN_PROGRESS")) continue;
        else if (!error.passing) throw error;
        this.#loseAfterSilence();
        if (!(await pause(waitMs, this.#leaving.signal))) return;
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
        await this.#options.wire.refresh().catch(() => {});
      }
    }
  }

  /** Joins and takes what this member is given; answers whether nothing is on its way any more. */
  async #round(): Promise<boolean> {
    const { wire, group, topic, sessionMs, rebalanceMs } = this.#options;
    this.#rejoin = false;
    const told = Buffer.from(JSON.stringify({ owned: this.#options.owned(), generation: this.#member.generation }));
    const memberId = this.#member.memberId;
    const joined = await wire.join({ group, topic, protocol: PROTOCOL, memberId, sessionMs, rebalanceMs, told });
    this.#member = { group, memberId: joined.memberId, generation: joined.generation };
    this.#rebalances += 1;
    const share = await wire.sync(this.#member, topic, this.#sharesOf(joined));
    this.#heardAt = performance.now();
    const { moving } = readTold(share.told);
    const adopting = this.#options.adopt(share.partitions, moving === 0);
    const letGo = await this.#beatDuring(adopting);
    if (letGo) this.#rejoin = true;
    return moving === 0;
  }

  #sharesOf({ members }: Joined): ReadonlyMap<string, MemberShare> {
    if (members.length === 0) return new Map();
    const { shares, moving } = planShares(members.map(memberOf), this.#options.partitions);
    const told = Buffer.from(JSON.stringify({ moving: moving.length }));
    return new Map([...shares].map(([id, partitions]) => [id, { partitions, told }]));
  }

  /** Letting go may take as long as a batch takes; the broker hears from us all the while. */
  async #beatDuring<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    const waiting = finished.then(
      () => {},
      () => {},
    );
    while (!done) {
      await Promise.race([waiting, pause(this.#options.heartbeatMs)]);
      if (done) break;
      try {
        await this.#options.wire.heartbeat(this.#member);
        this.#heardAt = performance.now();
      } catch (error) {
        if (!isKind(error, "REBALANCE_IN_PROGRESS")) throw error;
      }
    }
    return finished;
  }

  /** Sends heartbeats until it is time to join again. */
  async #stay(everyMs: number): Promise<void> {
    while (!this.#leaving.signal.aborted && !this.#rejoin) {
      await this.#restless(everyMs);
      if (this.#leaving.signal.aborted || this.#rejoin) return;
      await this.#options.wire.heartbeat(this.#member);
      this.#heardAt = performance.now();
      await this.#tellOffsets();
    }
  }

  #restless(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#again.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, durationMs);
      this.#again.add(wake);
    });
  }

  /** For lag displays alone: where to go on is in `state`. */
  async #tellOffsets(): Promise<void> {
    const offsets = this.#options.offsets();
    const told = [...offsets].map(([partition, offset]) => `${partition}:${offset}`).join();
    if (offsets.size === 0 || told === this.#told) return;
    await this.#options.wire.commitOffsets(this.#member, this.#options.topic, offsets);
    this.#told = told;
  }

  #forget(error: WireError): void {
    const memberId = error.kind === "ILLEGAL_GENERATION" ? this.#member.memberId : "";
    this.#member = { ...this.#member, memberId, generation: -1 };
    this.#options.lose();
  }

  /** After a session without an answer the broker has given our partitions to others. */
  #loseAfterSilence(): void {
    if (performance.now() - this.#heardAt > this.#options.sessionMs) this.#options.lose();
  }
}

function memberOf({ id, told }: Joined["members"][number]): Member {
  const { owned, generation } = readTold(told);
  return { id, owned, generation };
}

/** What members say of themselves; whatever else it may be counts as nothing. */
function readTold(bytes: Buffer): { owned: readonly number[]; generation: number; moving: number } {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    value = undefined;
  }
  const told = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const number = (of: unknown, otherwise: number): number => (typeof of === "number" ? of : otherwise);
  const owned = Array.isArray(told["owned"]) ? told["owned"].filter((each) => typeof each === "number") : [];
  return { owned, generation: number(told["generation"], -1), moving: number(told["moving"], 0) };
}
