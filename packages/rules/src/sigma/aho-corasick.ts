/**
 * Finds which of many needles a text contains, in one pass over the text however many needles there are.
 * The machine is a full transition table over the characters the needles use.
 */

export class AhoCorasick {
  private readonly classOf = new Uint16Array(128);
  private readonly otherClasses = new Map<number, number>();
  private readonly classes: number;
  private readonly next: Int32Array;
  /** Needles that end in a state, the ones that end there as a suffix included. */
  private readonly ends: (readonly number[] | undefined)[];

  /** Needles must not be empty; they are numbered in the order given. */
  constructor(needles: readonly string[]) {
    let classes = 1;
    let total = 1;
    for (const needle of needles) {
      total += needle.length;
      for (let i = 0; i < needle.length; i += 1) {
        const code = needle.charCodeAt(i);
        if (this.lookUp(code) !== 0) continue;
        if (code < 128) this.classOf[code] = classes;
        else this.otherClasses.set(code, classes);
        classes += 1;
      }
    }
    this.classes = classes;
    const trie = new Int32Array(total * classes).fill(-1);
    const ends: (number[] | undefined)[] = [];
    let states = 1;
    needles.forEach((needle, n) => {
      let state = 0;
      for (let i = 0; i < needle.length; i += 1) {
        const edge = state * classes + this.lookUp(needle.charCodeAt(i));
        if (trie[edge] === -1) {
          trie[edge] = states;
          states += 1;
        }
        state = trie[edge] as number;
      }
      const held = ends[state];
      if (held === undefined) ends[state] = [n];
      else held.push(n);
    });
    this.next = trie.slice(0, states * classes);
    this.ends = ends;
    this.close(states, ends);
  }

  /** Calls `found` with the number of each needle, once for each place where it ends. */
  scan(text: string, found: (needle: number) => void): void {
    const { next, classes, ends, classOf } = this;
    let state = 0;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      const kind = code < 128 ? (classOf[code] as number) : (this.otherClasses.get(code) ?? 0);
      state = next[state * classes + kind] as number;
      const here = ends[state];
      if (here !== undefined) for (const needle of here) found(needle);
    }
  }

  private lookUp(code: number): number {
    return code < 128 ? (this.classOf[code] as number) : (this.otherClasses.get(code) ?? 0);
  }

  /** Fills in, breadth first, where a state goes on characters that its needle does not continue with. */
  private close(states: number, ends: (number[] | undefined)[]): void {
    const { next, classes } = this;
    const fall = new Int32Array(states);
    const queue: number[] = [];
    for (let kind = 0; kind < classes; kind += 1) {
      const to = next[kind] as number;
      if (to === -1) next[kind] = 0;
      else queue.push(to);
    }
    for (let head = 0; head < queue.length; head += 1) {
      const state = queue[head] as number;
      const back = fall[state] as number;
      const inherited = ends[back];
      if (inherited !== undefined) ends[state] = [...(ends[state] ?? []), ...inherited];
      for (let kind = 0; kind < classes; kind += 1) {
        const edge = state * classes + kind;
        const to = next[edge] as number;
        const detour = next[back * classes + kind] as number;
        if (to === -1) {
          next[edge] = detour;
        } else {
          fall[to] = detour;
          queue.push(to);
        }
      }
    }
  }
}
