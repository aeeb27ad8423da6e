import fastify from "fastify";
import { expect, test } from "vitest";
import { type ApiContext, addApi } from "./api.ts";
import { openApi } from "./openapi.ts";
import { fixture, Running } from "./test-kit.ts";

interface Described {
  readonly paths: Record<string, Record<string, { readonly parameters?: readonly { name: string }[] }>>;
}

test("the description names every path of the API, and no other", () => {
  const routes: string[] = ["get /api/openapi.json"];
  const app = fastify();
  app.addHook("onRoute", ({ method, url }) => {
    if (method !== "HEAD") routes.push(`${String(method).toLowerCase()} ${url.replaceAll(/:(\w+)/g, "{$1}")}`);
  });
  addApi(app, {} as ApiContext);
  const { paths } = openApi() as unknown as Described;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((of) => `${of} ${path}`),
  );
  expect(described.sort()).toEqual(routes.sort());
});

test("is served, and knows the parameters of a query", async () => {
  await using running = await Running.open([fixture("cluster-hang-9e")]);
  const { status, body } = await running.ask("/api/openapi.json");
  expect(status).toBe(200);
  const { paths } = JSON.parse(body) as Described;
  const names = paths["/api/v1/incidents"]?.["get"]?.parameters?.map(({ name }) => name);
  expect(names).toEqual(["status", "severity", "text", "children", "sort", "limit", "offset"]);
});
