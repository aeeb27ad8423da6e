/** Going on with another program where one was loaded: what is held stays, and is judged by what is known now. */
import type { Program } from "@culprit/rules";
import { type State, wake } from "./state.ts";

/**
 * Marks all that the program could make of what is held; the next tick judges it anew. Incidents of playbooks that are gone
 * are withdrawn by that tick. Call it between two inputs.
 */
export function adopt(state: State, program: Program): void {
  for (const key of state.keys.values()) {
    for (const rule of key.signals.keys())
      for (const { playbook } of program.uses.get(rule) ?? []) key.dirty.add(playbook.id);
    for (const { playbook } of key.announced.values())
      for (const { id } of program.incidentUses.get(playbook) ?? []) key.dirty.add(id);
    for (const held of key.incidents.values()) key.dirty.add(held.playbook);
    wake(key, state.now);
    state.touched.add(key.key);
  }
}
