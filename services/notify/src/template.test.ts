import { describe, expect, test } from "vitest";
import { NotifyConfig } from "./config.ts";
import { fixture, hostile } from "./fixtures.ts";
import { slackMessage } from "./notifiers/slack-blocks.ts";
import { renderContent, shortContent } from "./page.ts";
import { composePage, type PageContent } from "./page-content.ts";
import { htmlContent } from "./page-html.ts";
import { markdownContent } from "./page-markdown.ts";
import { pageTemplate, TemplateOptions } from "./template.ts";
import { fakeServer, World } from "./test-kit.ts";

const incident = fixture("cluster-hang-9e");
const ZONE = "Europe/Oslo";

function paged(template: { title?: string; body?: string }, of = incident): PageContent {
  const page = composePage(of, { timeZone: ZONE, consoleUrl: "https://culprit.example" });
  return pageTemplate(TemplateOptions.parse(template), ZONE)(page, of);
}

describe("a target's own words", () => {
  test("stand for the title and for all between it and the link, in every medium", () => {
    const page = paged({
      title: "[{{ incident.severity | upcase }}] {{ page.title }}",
      body: "Why: {{ page.causes[0].title }}, {{ page.causes[0].percent }} %\n\n{% for step in page.actions %}- {{ step }}\n{% endfor %}",
    });
    expect(page.title).toBe(`[CRITICAL] ${incident.title}`);
    expect(renderContent(page, { width: 200 }).split("\n")).toEqual([
      expect.stringMatching(/^CRITICAL {2}\[CRITICAL\] HV11 crashed/),
      "",
      "Why: Non-paged pool exhausted on HV11, 75 %",
      "",
      ...page.actions.map((step) => `- ${step}`),
      expect.stringMatching(/^MORE +https:\/\/culprit\.example/),
    ]);
    expect(shortContent(page, 480)).toContain("Why: Non-paged pool exhausted on HV11, 75 %");
    for (const text of [markdownContent(page), htmlContent(page), JSON.stringify(slackMessage(page, false))]) {
      expect(text).toContain("Why: Non-paged pool exhausted on HV11, 75 %");
      expect(text).not.toContain("Next causes");
      expect(text).toContain("https://culprit.example/incidents/");
    }
  });

  test("can give times in the zone of the page, with UTC beside them", () => {
    expect(paged({ title: "{{ incident.startedAt | local }}" }).title).toBe("17 Mar 2026 03:00:04 Oslo (02:00 UTC)");
  });

  test("that come to nothing leave the usual title", () => {
    expect(paged({ title: "{{ incident.nothing }}" }).title).toBe(incident.title);
  });

  test.each([
    ["endless", "{% for i in (1..100000000) %}x{% endfor %}"],
    ["slow", "{% for i in (1..100000) %}{% for j in (1..100000) %}{% endfor %}{% endfor %}"],
    ["swelling", "{% assign x='aaaa' %}{% for i in (1..99) %}{% assign x = x | append: x %}{% endfor %}{{ x }}"],
  ])("that are %s cost the words, not the page", (_, body) => {
    const page = paged({ body });
    expect(page.body).toBeUndefined();
    expect(page.notice).toContain("The template of this target failed");
    expect(renderContent(page, {})).toContain("PROBABLE CAUSE");
  });

  test("are cut where they are too long", () => {
    const body = "{% for i in (1..3000) %}ü💾 line {{ i }}\n{% endfor %}";
    expect(paged({ body }).body?.length).toBeLessThanOrEqual(200);
    expect(paged({ title: body }).title.length).toBeLessThanOrEqual(500);
  });
});

describe("what a template reaches", () => {
  test.each([
    "{% include '/etc/passwd' %}",
    "{% render 'x' %}",
    "{% layout 'x' %}",
    "{{ page.title | nothing }}",
    "{% if %}",
    "{{ page.title",
  ])("refuses %s when it is loaded, with line and column", (title) => {
    const read = NotifyConfig.safeParse({ targets: [{ name: "t", kind: "terminal", template: { title } }] });
    expect(read.error?.issues[0]?.path).toEqual(["targets", 0, "template", "title"]);
    expect(read.error?.issues[0]?.message).toMatch(/line:1, col:\d+$/);
  });

  test("no prototype, constructor or global", () => {
    const title =
      "<{{ page.constructor }}{{ page.__proto__ }}{{ incident.toString }}{{ process.env }}{{ globalThis }}>";
    expect(paged({ title }).title).toBe("<>");
  });

  test("B54 no secret: what comes out is masked again", () => {
    const page = paged({ title: "{{ page.title }}", body: "{{ 'pass' }}{{ 'word=Hunter2' }}" });
    expect(page.body).toEqual(["password=***"]);
  });

  test("B47 B46 template marks and markup in event text stay text", () => {
    const page = paged({ body: "{{ page.title }}" }, hostile("{{ 7 | times: 6 }} <b>x</b> <!channel> [a](http://b)"));
    expect(page.body?.[0]).toContain("{{ 7 | times: 6 }}");
    expect(htmlContent(page)).not.toContain("<b>");
    expect(markdownContent(page)).not.toContain("[a](");
    expect(slackMessage(page, false).text).not.toContain("<!channel>");
  });
});

test("each target has its own zone", async () => {
  await using server = await fakeServer();
  const hook = { kind: "webhook", url: server.url };
  await using world = await World.open({
    targets: [
      { ...hook, name: "here" },
      { ...hook, name: "there", timeZone: "Asia/Tokyo" },
    ],
    config: { timeZone: "Europe/Oslo" },
  });
  await world.publish(incident);
  const texts = server.received.map(({ body }) => body);
  expect(texts.filter((text) => text.includes("03:00:04 Oslo (02:00 UTC)"))).toHaveLength(1);
  expect(texts.filter((text) => text.includes("11:00:04 Tokyo (02:00 UTC)"))).toHaveLength(1);
  const read = NotifyConfig.safeParse({ targets: [{ name: "t", kind: "terminal", timeZone: "Oslo" }] });
  expect(read.error?.issues[0]?.message).toContain("IANA");
});

test("each target has its own words", async () => {
  await using server = await fakeServer();
  const hook = { kind: "webhook", url: server.url };
  await using world = await World.open({
    targets: [
      { ...hook, name: "own", template: { title: "Ring Anna: {{ page.title }}" } },
      { ...hook, name: "usual" },
    ],
  });
  await world.publish(incident);
  const texts = server.received.map((request) => String((request.json()["data"] as Record<string, unknown>)["text"]));
  expect(texts.filter((text) => text.includes("Ring Anna:"))).toHaveLength(1);
  expect(texts).toHaveLength(2);
});
