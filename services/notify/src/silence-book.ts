/** The silences that people have asked for, as the topic `actions` tells of them. */
import { coversIncident, type EpochMs, type Incident, Silence, silenceOf } from "@culprit/model";

export class SilenceBook {
  readonly #silences = new Map<string, Silence>();

  /** Takes in a message of the topic; answers which incidents it concerns, `undefined` when it is no silence. */
  learn(value: unknown): { readonly covers: (incident: Incident) => boolean } | undefined {
    const read = Silence.safeParse(value);
    if (!read.success) return undefined;
    const silence = read.data;
    this.#silences.set(silence.id, silence);
    return { covers: (incident) => coversIncident(silence.match, incident) };
  }

  forget(id: string): void {
    this.#silences.delete(id);
  }

  has(id: string): boolean {
    return this.#silences.has(id);
  }

  /** The silence that keeps an incident quiet at an instant, and until when at least. */
  over(incident: Incident, now: EpochMs): { readonly silence: Silence; readonly until: EpochMs } | undefined {
    return silenceOf(incident, this.#silences.values(), now);
  }
}
