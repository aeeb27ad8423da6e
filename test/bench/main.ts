/** `npm run bench [NAME...]`: every figure as a rate and, where there is a peer, as a ratio in the same run. */
import { run as analyze } from "./analyze.ts";
import { run as bulk } from "./bulk.ts";
import { run as evtx } from "./evtx.ts";
import { run as fold } from "./fold.ts";
import { run as formats } from "./formats.ts";
import { run as rules } from "./rules.ts";

const BENCHES = { evtx, analyze, bulk, fold, formats, rules } as const;

const wanted = process.argv.slice(2);
const strangers = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (strangers.length > 0) {
  console.error(`no bench ${strangers.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exitCode = 2;
} else {
  for (const [name, run] of Object.entries(BENCHES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n${name}`);
    for (const reason of (await run()).leftOut) console.log(`  left out: ${reason}`);
  }
}
