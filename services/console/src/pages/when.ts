/** Times on pages: the configured zone as text, the instant in the markup, UTC where there is room for it. */
import { Fault } from "@culprit/model";
import { html, type Markup } from "./html.ts";

export interface Zone {
  readonly name: string;
  /** `17 Mar 2026, 03:00:04` */
  full(iso: string): string;
  /** `03:00:04` */
  clock(iso: string): string;
  /** `17 Mar, 03:00` */
  short(iso: string): string;
  /** `17 Mar` */
  day(iso: string): string;
}

/** Errors: `console.unknown-zone`. */
export function zoneOf(timeZone: string): Zone {
  const day = { day: "numeric", month: "short" } as const;
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const seconds = { ...time, second: "2-digit" } as const;
  const format = (options: Intl.DateTimeFormatOptions): ((iso: string) => string) => {
    try {
      const formatter = new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
      return (iso) => formatter.format(new Date(iso));
    } catch (cause) {
      throw new Fault("console.unknown-zone", `"${timeZone}" is no IANA time zone; expected one like Europe/Oslo`, {
        cause,
      });
    }
  };
  const utc = /^(?:etc\/)?(?:utc|gmt)$/i.test(timeZone);
  return {
    name: utc ? "UTC" : (timeZone.split("/").at(-1) ?? timeZone).replaceAll("_", " "),
    full: format({ ...day, year: "numeric", ...seconds }),
    clock: format(seconds),
    short: format({ ...day, ...time }),
    day: format(day),
  };
}

const UTC = zoneOf("UTC");

/** An instant with its zone, and UTC beside it where that is another. */
export function instant(iso: string, zone: Zone): Markup {
  const beside = zone.name === "UTC" ? "" : html` <span class="quiet">(${UTC.clock(iso)} UTC)</span>`;
  return html`<time datetime=${iso}>${zone.full(iso)} ${zone.name}</time>${beside}`;
}
