/** What a file of verbs gets to define them with. */
export interface VerbTools {
  /** Makes an action of a command's run. */
  verb<A extends unknown[]>(run: (...args: A) => Promise<number>): (...args: A) => Promise<void>;
  print(text: string): void;
  /** Reads an IANA zone. */
  zoneOf(text: string): string;
  /** Reads an instant. */
  instantOf(text: string): number;
}
