/**
 * Who gets which partition, worked out by one member for all: shares differ by one at most, and as few partitions move as
 * that allows.
 *
 * A partition that moves is given to nobody at first. Its owner sees that it is no longer its own, finishes and closes it,
 * and joins again; in that round the partition is free and goes to its new owner. So nobody gets a partition that another
 * still works on, and whatever does not move is never interrupted. Source: KIP-429, cooperative rebalancing.
 */

export interface Member {
  readonly id: string;
  /** What it owns by its own account, and since which generation of the group. */
  readonly owned: readonly number[];
  readonly generation: number;
}

export interface Plan {
  /** Partitions by member id, rising. */
  readonly shares: ReadonlyMap<string, readonly number[]>;
  /** Partitions that move once their owners have let go: there will be another round. */
  readonly moving: readonly number[];
}

/** Shares the partitions 0 to `partitions - 1` among members; the same members give the same plan in any order. */
export function planShares(members: readonly Member[], partitions: number): Plan {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
  const owners = ownersOf(sorted, partitions);
  const wanted = balance(sorted, owners, partitions);
  const shares = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  const moving: number[] = [];
  for (const [partition, id] of wanted) {
    const owner = owners.get(partition);
    if (owner === undefined || owner === id) shares.get(id)?.push(partition);
    else moving.push(partition);
  }
  return { shares, moving };
}

/** A partition that two claim belongs to the one of the later generation: the other was away when it was given on. */
function ownersOf(members: readonly Member[], partitions: number): Map<number, string> {
  const claims = new Map<number, Member>();
  for (const member of members) {
    for (const partition of member.owned) {
      if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) continue;
      const other = claims.get(partition);
      if (other === undefined || other.generation < member.generation) claims.set(partition, member);
    }
  }
  return new Map([...claims].map(([partition, { id }]) => [partition, id]));
}

function balance(members: readonly Member[], owners: ReadonlyMap<number, string>, partitions: number) {
  const held = new Map<string, number[]>(members.map(({ id }) => [id, []]));
  for (let partition = 0; partition < partitions; partition += 1) {
    held.get(owners.get(partition) ?? "")?.push(partition);
  }
  const least = Math.floor(partitions / Math.max(1, members.length));
  let larger = partitions - least * members.length;
  const wanted = new Map<number, string>();
  const room: { readonly id: string; free: number }[] = [];
  // Those who hold most keep one more, so that nothing moves for the sake of the remainder.
  const byHeld = [...held].sort(([a, mine], [b, theirs]) => theirs.length - mine.length || (a < b ? -1 : 1));
  for (const [id, mine] of byHeld) {
    const quota = larger > 0 ? least + 1 : least;
    if (larger > 0) larger -= 1;
    for (const partition of mine.slice(0, quota)) wanted.set(partition, id);
    room.push({ id, free: Math.max(0, quota - mine.length) });
  }
  for (let partition = 0; partition < partitions; partition += 1) {
    if (wanted.has(partition)) continue;
    const taker = room.find(({ free }) => free > 0);
    if (taker === undefined) break;
    taker.free -= 1;
    wanted.set(partition, taker.id);
  }
  return [...wanted].sort(([a], [b]) => a - b);
}
