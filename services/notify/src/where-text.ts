/** Who is affected, as people know them: first what was hit, then what it belongs to, then who said so. Pure. */
import { type Incident, maskSecrets, shortName } from "@culprit/model";

const NAMES_MAX = 6;
/** Roles that say how a host comes to be on the page rather than what it is. */
const AFFECTED = "victim";
const TELLING = new Set(["reporter", "named"]);

/**
 * `HV31, HV32 · cluster CLU3 · reported by HV33 · 2 further incidents are part of it`
 * Shape: at most six names of a kind, the rest counted; a guest that is named as VM is not named as host again.
 */
export function whereText({ scope, children }: Pick<Incident, "scope" | "children">): string {
  const guests = new Set(scope.flatMap(({ kind, id }) => (kind === "vm" ? [id.toLowerCase()] : [])));
  const hosts = scope.filter(({ kind, id }) => kind === "host" && !guests.has(shortName(id).toLowerCase()));
  const withRole = (wanted: string): readonly string[] =>
    hosts.filter(({ role }) => role === wanted).map(({ id }) => shortName(id).toUpperCase());
  const others = hosts.filter(({ role }) => role !== AFFECTED && !TELLING.has(role)).map(({ role }) => role);
  const wider = (kind: string): readonly string[] => scope.filter((entry) => entry.kind === kind).map(({ id }) => id);
  const named = withRole("named");
  // Where nothing else was hit it is what the texts name that the incident is about.
  const isAboutNamed = withRole(AFFECTED).length === 0 && guests.size === 0;
  const parts = [
    listed("", isAboutNamed ? named : withRole(AFFECTED)),
    listed(wider("vm").length > 1 ? "virtual machines" : "virtual machine", wider("vm")),
    ...[...new Set(others)].map((role) => described(withRole(role), role)),
    listed("cluster", wider("cluster")),
    listed("", wider("place")),
    listed("domain", wider("domain")),
    listed("with", isAboutNamed ? [] : named),
    listed("reported by", withRole("reporter")),
    partsOfIt(children.length),
  ];
  return maskSecrets(parts.filter((part) => part !== "").join(" · "));
}

function listed(word: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const rest = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : "";
  return `${word === "" ? "" : `${word} `}${names.slice(0, NAMES_MAX).join(", ")}${rest}`;
}

/** `HV21 (hypervisor)`, `HV12, HV13 (peers)` */
function described(names: readonly string[], role: string): string {
  return `${listed("", names)} (${role}${names.length > 1 ? "s" : ""})`;
}

function partsOfIt(count: number): string {
  if (count === 0) return "";
  return `${count} further ${count === 1 ? "incident is" : "incidents are"} part of it`;
}
