/** What is wrong with a file that a person wrote: where, what was read, what was expected, and the likely fix. */

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
  readonly fix?: string;
}

/** `playbooks/x.yaml:12: error: … (fix: …)`, one line, as editors and people read it. */
export function diagnosticText(diagnostic: Diagnostic): string {
  const fix = diagnostic.fix === undefined ? "" : ` (fix: ${diagnostic.fix})`;
  return `${diagnostic.file}:${diagnostic.line}: ${diagnostic.severity}: ${diagnostic.message}${fix}`;
}

const NEAR_DISTANCE_MAX = 3;

/** The known name nearest to a misspelt one, for "did you mean"; `undefined` when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = NEAR_DISTANCE_MAX + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > NEAR_DISTANCE_MAX) continue;
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      current.push(
        Math.min((previous[j] as number) + 1, (current[j - 1] as number) + 1, (previous[j - 1] as number) + same),
      );
    }
    previous = current;
  }
  return previous[b.length] as number;
}
