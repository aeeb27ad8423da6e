/** What is wrong with a rule file: where, which rule, what was read, what was expected, and the likely fix. */

/** Where something stands in a file; both counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An error means that the rule is not loaded; a warning, that it is, and why its author should look again. */
export interface RuleDiagnostic extends Position {
  readonly severity: "error" | "warning";
  /** The rule's title, else its id or name, else `document 2`. */
  readonly rule: string;
  readonly read: string;
  readonly expected: string;
  /** One sentence for a person, naming the rule, what was read and what was expected. */
  readonly message: string;
  readonly fix?: string;
}

/** What a reader of rules says about one place; the reporter adds file and rule. */
export interface Remark {
  readonly at: Position;
  readonly read: string;
  readonly expected: string;
  readonly fix?: string;
}

/** Collects what is said about one rule and remembers whether it can be loaded. */
export class Reporter {
  readonly rule: string;
  private readonly sink: RuleDiagnostic[];
  private refusals = 0;

  constructor(rule: string, sink: RuleDiagnostic[]) {
    this.rule = rule;
    this.sink = sink;
  }

  /** Whether anything said so far keeps the rule from being loaded. */
  get refused(): boolean {
    return this.refusals > 0;
  }

  refuse(remark: Remark): void {
    this.refusals += 1;
    this.say("error", remark);
  }

  warn(remark: Remark): void {
    this.say("warning", remark);
  }

  private say(severity: "error" | "warning", { at, read, expected, fix }: Remark): void {
    const message = `rule "${this.rule}": read ${read}, expected ${expected}`;
    const diagnostic = { severity, ...at, rule: this.rule, read, expected, message };
    this.sink.push(fix === undefined ? diagnostic : { ...diagnostic, fix });
  }
}
