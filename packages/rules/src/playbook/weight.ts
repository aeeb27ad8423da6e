/**
 * Weights of evidence. Words have fixed values so that authors and readers agree; the unit is the deciban, ten times log10
 * of the likelihood ratio: 10 makes a cause ten times likelier.
 */
import { z } from "zod";

export const WEIGHT_POINTS = { weak: 3, moderate: 10, strong: 20, decisive: 30 } as const;
export type WeightWord = keyof typeof WEIGHT_POINTS;

const WEIGHT_WORDS = Object.keys(WEIGHT_POINTS) as [WeightWord, ...WeightWord[]];

/** A weight as written: a word, or a positive number of decibans where data supports one. */
export const Weight = z
  .union([z.enum(WEIGHT_WORDS), z.number().positive().max(60)])
  .transform((weight) => (typeof weight === "number" ? weight : WEIGHT_POINTS[weight]));
