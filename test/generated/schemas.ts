/** `docs/schema/*.json`: JSON Schemas made from the zod schemas that read or write the files they describe. */
import { Incident } from "@culprit/model";
import { DetectionExtension, Playbook } from "@culprit/rules";
import { z } from "zod";
import { Config } from "../../packages/cli/src/config.ts";
import { TimelineFile } from "../../packages/cli/src/timeline.ts";
import { TopologyFile } from "../../packages/cli/src/topology-file.ts";

interface Described {
  readonly schema: z.ZodType;
  readonly title: string;
  /** Files that people write are described as written, before defaults and transforms; the incident as it comes out. */
  readonly side: "input" | "output";
}

const SCHEMAS: Readonly<Record<string, Described>> = {
  config: { schema: Config, title: "culprit.yaml", side: "input" },
  "detection-extension": { schema: DetectionExtension, title: "x-culprit of a detection", side: "input" },
  incident: { schema: Incident, title: "An incident, as analyze --json, the API and webhooks give it", side: "output" },
  playbook: { schema: Playbook, title: "A playbook", side: "input" },
  timeline: { schema: TimelineFile, title: "Timelines, the tests of a playbook", side: "input" },
  topology: { schema: TopologyFile, title: "A topology file", side: "input" },
};

/** File name -> text. A value that a transform makes (a duration, an instant) is described by what it is made from. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, { schema, title, side }]) => {
      const json = z.toJSONSchema(schema, { io: side, unrepresentable: "any", override: describeDate });
      return [`${name}.json`, `${JSON.stringify({ title, ...json }, null, 2)}\n`];
    }),
  );
}

/** YAML reads a bare instant as a date; JSON Schema knows it as text. */
const describeDate: NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>["override"]> = ({
  zodSchema,
  jsonSchema,
}) => {
  if (zodSchema._zod.def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
};
