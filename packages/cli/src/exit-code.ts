/** Exit codes of the contract. */
export const EXIT = {
  /** Done, and no incident of severity high or above. */
  done: 0,
  /** Done, and at least one. */
  incident: 1,
  /** Wrong use or configuration; nothing was processed. */
  usage: 2,
  /** Some input could not be read; what and where is on stderr, the rest was processed. */
  unreadable: 3,
} as const;
