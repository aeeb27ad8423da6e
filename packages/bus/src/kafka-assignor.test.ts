import fc from "fast-check";
import { expect, test } from "vitest";
import { type Member, type Plan, planShares } from "./kafka-assignor.ts";

const members = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    owned: fc.array(fc.integer({ min: -1, max: 14 }), { maxLength: 12 }),
    generation: fc.integer({ min: -1, max: 3 }),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 7 },
);
const partitions = fc.integer({ min: 1, max: 13 });

function givenIn(plan: Plan): number[] {
  return [...plan.shares.values()].flat().sort((a, b) => a - b);
}

/** What members say of themselves in the next round, having done as they were told. */
function next(plan: Plan): Member[] {
  return [...plan.shares].map(([id, owned]) => ({ id, owned, generation: 9 }));
}

test("every partition is given to one member or is on the move", () => {
  fc.assert(
    fc.property(members, partitions, (group, count) => {
      const plan = planShares(group, count);
      const all = [...givenIn(plan), ...plan.moving].sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: count }, (_, n) => n));
    }),
  );
});

test("F7 nobody gets a partition that another member still holds", () => {
  fc.assert(
    fc.property(members, partitions, (group, count) => {
      for (const [id, share] of planShares(group, count).shares) {
        for (const partition of share) {
          const holders = group.filter(({ owned }) => owned.includes(partition));
          const latest = Math.max(...holders.map(({ generation }) => generation));
          const rightful = holders.filter(({ generation }) => generation === latest).map((member) => member.id);
          if (rightful.length > 0) expect(rightful).toContain(id);
        }
      }
    }),
  );
});

test("the next round ends the moves, and shares differ by one at most", () => {
  fc.assert(
    fc.property(members, partitions, (group, count) => {
      const settled = planShares(next(planShares(group, count)), count);
      expect(settled.moving).toEqual([]);
      const sizes = [...settled.shares.values()].map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("F8 a group that has settled stays as it is, in whatever order its members are named", () => {
  fc.assert(
    fc.property(members, partitions, (group, count) => {
      const settled = next(planShares(next(planShares(group, count)), count));
      const again = planShares(settled.toReversed(), count);
      expect(again.moving).toEqual([]);
      for (const { id, owned } of settled) expect(again.shares.get(id)).toEqual(owned);
    }),
  );
});

test("a member that comes takes no more than its share, the others keep the rest", () => {
  const group = [
    { id: "a", owned: [0, 2, 4, 6], generation: 4 },
    { id: "b", owned: [1, 3, 5, 7], generation: 4 },
    { id: "c", owned: [], generation: -1 },
  ];
  const plan = planShares(group, 8);
  expect(plan.moving).toEqual([6, 7]);
  expect(plan.shares.get("c")).toEqual([]);
  expect(planShares(next(plan), 8).shares.get("c")).toEqual([6, 7]);
});
