/**
 * Ranking. score = 10·log10(prior odds) + points; shares are 10^(score/10), normalised over the causes and `unknown`. A cause
 * for which nothing was seen never stands above `unknown`: no invented causes. Source: PLAYBOOKS.md section 4.
 */
import type { Verdict } from "@culprit/model";
import type { Judged } from "./evidence.ts";

const SHARE_STEP = 0.05;
/** Less than this between the first two, in decibans, is a tie: a factor of two. */
const TIE_POINTS = 3;
const CONFIRMED_SHARE = 0.85;
const CONFIRMED_POINTS = 20;
/** How far below `unknown` a cause stands for which nothing speaks. */
const SILENT_STEP_POINTS = 1;

export interface Ranked {
  /** Absent for `unknown`. */
  readonly judged?: Judged;
  readonly score: number;
  readonly share: number;
}

function priorPoints(prior: number): number {
  return 10 * Math.log10(prior / (1 - prior));
}

/** Ranks judged causes and `unknown`, most likely first; equal scores keep the playbook's order, `unknown` last of equals. */
export function rank(judged: readonly Judged[], unknownPrior: number): readonly Ranked[] {
  const unknown = priorPoints(unknownPrior);
  const scored = judged.map((one): Omit<Ranked, "share"> => {
    const score = priorPoints(one.cause.prior) + one.points;
    return { judged: one, score: speaksFor(one) ? score : Math.min(score, unknown - SILENT_STEP_POINTS) };
  });
  scored.push({ score: unknown });
  const top = Math.max(...scored.map(({ score }) => score));
  const weights = scored.map(({ score }) => 10 ** ((score - top) / 10));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return scored
    .map((one, i): Ranked => ({ ...one, share: (weights[i] as number) / sum }))
    .sort((a, b) => b.score - a.score);
}

function speaksFor(judged: Judged): boolean {
  return judged.items.some((item) => item.points > 0);
}

/** Rounded for people. */
export function shownShare(share: number): number {
  return Math.round(Math.round(share / SHARE_STEP) * SHARE_STEP * 100) / 100;
}

export function verdictOf(ranked: readonly Ranked[]): Verdict {
  const [first, second] = ranked;
  if (first?.judged === undefined) return "not-enough-evidence";
  if (second?.judged !== undefined && first.score - second.score < TIE_POINTS) return "tied";
  const best = first.judged.items.reduce((most, item) => Math.max(most, item.points), 0);
  return first.share >= CONFIRMED_SHARE && best >= CONFIRMED_POINTS ? "confirmed" : "likely";
}
