/** The form of the page of silences as the body that the API takes; what is wrong with it, the body's schema says. */
import { HOUR_MS, WEEKDAYS } from "@culprit/model";

/** Makes a body of a form's fields; an empty field counts as not given. */
export function silenceFromForm(form: Readonly<Record<string, string>>, zone: string): unknown {
  const scope = listOf(form["scope"]);
  const playbooks = listOf(form["playbooks"]);
  const days = WEEKDAYS.filter((day) => form[`day-${day}`] !== undefined);
  const window = { days: [...days], from: form["from"] || "00:00", to: form["to"] || "24:00" };
  return {
    match: { ...(scope === undefined ? {} : { scope }), ...(playbooks === undefined ? {} : { playbooks }) },
    forMs: Number(form["hours"]) * HOUR_MS,
    ...(days.length === 0 ? {} : { recurrence: { zone, windows: [window] } }),
    who: form["who"] ?? "",
    comment: form["comment"] ?? "",
  };
}

function listOf(text = ""): readonly string[] | undefined {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length === 0 ? undefined : names;
}
