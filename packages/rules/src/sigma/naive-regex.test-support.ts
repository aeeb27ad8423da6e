/**
 * Regular expressions for the naive evaluator: the subset that the property test generates, answered by the set of places
 * that each part can reach. Case is compared by simple folding, `.` stops at a line break, `$` is the end of the text or before its last line break.
 */

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/** Where a part can end, given where it can begin. */
type Part = (from: ReadonlySet<number>) => ReadonlySet<number>;

interface Reading {
  readonly pattern: readonly string[];
  at: number;
  readonly text: readonly string[];
  readonly flags: Flags;
}

/** Whether the pattern is found somewhere in the text; at one of its ends where `place` says so. */
export function naiveSearch(pattern: string, text: string, flags: Flags, place: "start" | "end" | undefined): boolean {
  const chars = [...text];
  const part = alternatives({ pattern: [...pattern], at: 0, text: chars, flags });
  const starts = place === "start" ? [0] : [...Array(chars.length + 1).keys()];
  const ends = part(new Set(starts));
  return place === "end" ? ends.has(chars.length) : ends.size > 0;
}

function alternatives(reading: Reading): Part {
  const parts = [sequence(reading)];
  while (reading.pattern[reading.at] === "|") {
    reading.at += 1;
    parts.push(sequence(reading));
  }
  return (from) => union(parts.map((part) => part(from)));
}

function sequence(reading: Reading): Part {
  const parts: Part[] = [];
  while (reading.at < reading.pattern.length && !"|)".includes(reading.pattern[reading.at] as string)) {
    parts.push(repeated(atom(reading), reading));
  }
  return (from) => parts.reduce((reach, part) => part(reach), from);
}

function repeated(part: Part, reading: Reading): Part {
  const rest = reading.pattern.slice(reading.at).join("");
  const quantifier = /^(?:\*|\+|\?|\{(\d),(\d)\})/.exec(rest);
  if (quantifier === null) return part;
  reading.at += quantifier[0].length;
  const least = quantifier[0] === "+" ? 1 : Number(quantifier[1] ?? 0);
  const most = quantifier[0] === "?" ? 1 : Number(quantifier[2] ?? reading.text.length + 1);
  return (from) => {
    let reach = from;
    const all: ReadonlySet<number>[] = least === 0 ? [from] : [];
    for (let count = 1; count <= most; count += 1) {
      reach = part(reach);
      if (count >= least) all.push(reach);
    }
    return union(all);
  };
}

function atom(reading: Reading): Part {
  const { pattern, text, flags } = reading;
  const char = pattern[reading.at] as string;
  reading.at += 1;
  const one =
    (is: (char: string) => boolean): Part =>
    (from) =>
      new Set([...from].filter((at) => at < text.length && is(text[at] as string)).map((at) => at + 1));
  const here =
    (is: (at: number) => boolean): Part =>
    (from) =>
      new Set([...from].filter(is));
  switch (char) {
    case "(": {
      if (pattern[reading.at] === "?") reading.at += 2;
      const inner = alternatives(reading);
      reading.at += 1;
      return inner;
    }
    case "[": {
      const close = pattern.indexOf("]", reading.at);
      const members = pattern.slice(reading.at, close);
      reading.at = close + 1;
      const isOther = members[0] === "^";
      const chars = isOther ? members.slice(1) : members;
      return one((each) => chars.some((member) => same(member, each, flags)) !== isOther);
    }
    case ".":
      return one((each) => flags.s || each !== "\n");
    case "^":
      return here((at) => at === 0 || (flags.m && text[at - 1] === "\n"));
    case "$":
      return here((at) => at === text.length || (text[at] === "\n" && (flags.m || at === text.length - 1)));
    case "\\": {
      const escaped = pattern[reading.at] as string;
      reading.at += 1;
      return one((each) => same(escaped, each, flags));
    }
    default:
      return one((each) => same(char, each, flags));
  }
}

function same(a: string, b: string, { i }: Flags): boolean {
  return a === b || (i && (a.toLowerCase() === b.toLowerCase() || a.toUpperCase() === b.toUpperCase()));
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  return new Set(sets.flatMap((set) => [...set]));
}
