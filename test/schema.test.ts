/** The JSON Schemas of `docs/schema` are those that the sources make. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { schemaFiles } from "./generated/schemas.ts";

const FOLDER = new URL("../docs/schema/", import.meta.url);
const schemas = schemaFiles();

test("the folder holds the schemas that are made, and no others", () => {
  expect(readdirSync(FOLDER).sort()).toEqual([...schemas.keys()].sort());
});

test.each([...schemas])("%s is in step with its source: else run npm run docs", (name, text) => {
  expect(readFileSync(new URL(name, FOLDER), "utf8")).toBe(text);
});

test.each([...schemas])("%s describes an object and leaves no room for unknown keys", (_name, text) => {
  const { type, properties, additionalProperties } = JSON.parse(text) as Record<string, unknown>;
  expect(type).toBe("object");
  expect(Object.keys(properties as object).length).toBeGreaterThan(0);
  expect(additionalProperties).toBe(false);
});
