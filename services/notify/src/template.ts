/**
 * A target's own words for title and text, in Liquid. A template says what stands on a page and in which order; it cannot
 * say how it looks: what comes out is text, escaped for each medium like any other, so that neither a template nor an event
 * can make markup, a link or a mention.
 *
 * Templates read no files, call no code, and are bounded in length, time and memory. One that fails at night costs its
 * words, not the page: the usual page goes out and says so.
 * Source: liquidjs 10; ECOSYSTEM 3 ("never eval-type engines for user text").
 */
import { cut, type Incident, maskSecrets } from "@culprit/model";
import { Liquid, type Template } from "liquidjs";
import { z } from "zod";
import type { PageContent } from "./page-content.ts";
import { instantText } from "./time-text.ts";

const TEMPLATE_MAX = 20_000;
const TITLE_MAX = 500;
const BODY_MAX = 20_000;
const BODY_LINES_MAX = 200;
/** What a template sees of one text: filters may take quadratic time. */
const TEXT_MAX = 2_000;
const ITEMS_MAX = 200;
const DEPTH_MAX = 8;
const RENDER_MAX_MS = 200;
/** Elements made while rendering, as the library counts them. */
const MEMORY_MAX = 2_000_000;
/** They would reach for other templates. */
const FOREIGN_TAGS = ["include", "render", "layout", "block"];

const LiquidText = z
  .string()
  .min(1)
  .max(TEMPLATE_MAX)
  .superRefine((text, context) => {
    const problem = templateProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** A target's own words; what is left out stays as it is. */
export const TemplateOptions = z.strictObject({
  title: z.exactOptional(LiquidText),
  body: z.exactOptional(LiquidText),
});
export type TemplateOptions = z.infer<typeof TemplateOptions>;

interface TemplateConfig {
  readonly timeZone: string;
  readonly targets: readonly {
    readonly name: string;
    readonly template?: TemplateOptions;
    readonly timeZone?: string;
  }[];
}

/** Puts a target's own words on a page. */
export type PageTemplate = (page: PageContent, incident: Incident) => PageContent;

/**
 * Prepares a target's templates.
 * Shape: the page with the title and `body` that came out; where one fails, the page as it was with a notice.
 * Units: `zone` is what the filter `local` prints instants in, with UTC beside it.
 * Errors: those of the syntax, which the config's schema has found before.
 * @internal
 */
export function pageTemplate({ title, body }: TemplateOptions, zone: string): PageTemplate {
  const engine = engineOf(zone);
  const titleTemplate = title === undefined ? undefined : engine.parse(title);
  const bodyTemplate = body === undefined ? undefined : engine.parse(body);
  const render = (template: readonly Template[], scope: object): string =>
    maskSecrets(String(engine.renderSync([...template], scope)));
  return (page, incident) => {
    const scope = { page: bounded(page), incident: bounded(incident) };
    try {
      const words = titleTemplate === undefined ? "" : render(titleTemplate, scope).replace(/\s+/g, " ").trim();
      return {
        ...page,
        // A title that came out empty would page people with nothing.
        ...(words === "" ? {} : { title: cut(words, TITLE_MAX) }),
        ...(bodyTemplate === undefined ? {} : { body: linesOf(render(bodyTemplate, scope)) }),
      };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const notice = `The template of this target failed, so this is the usual page: ${cut(why, TITLE_MAX)}`;
      return { ...page, notice: page.notice === undefined ? notice : `${page.notice} · ${notice}` };
    }
  };
}

/** The templates of a config by the names of their targets. */
export function templatesOf(config: TemplateConfig): ReadonlyMap<string, PageTemplate> {
  const { targets, timeZone } = config;
  return new Map(
    targets.flatMap(({ name, template, timeZone: own = timeZone }) =>
      template === undefined ? [] : [[name, pageTemplate(template, own)]],
    ),
  );
}

/** What is wrong with a template's syntax, with line and column; `undefined` when nothing is. */
function templateProblem(text: string): string | undefined {
  try {
    engineOf("UTC").parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function engineOf(zone: string): Liquid {
  const engine = new Liquid({
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    timezoneOffset: zone,
    locale: "en",
    parseLimit: TEMPLATE_MAX,
    renderLimit: RENDER_MAX_MS,
    memoryLimit: MEMORY_MAX,
  });
  for (const tag of FOREIGN_TAGS) delete engine.tags[tag];
  engine.registerFilter("local", (value: unknown) => {
    const text = String(value);
    return Number.isNaN(Date.parse(text)) ? text : instantText(text, zone);
  });
  return engine;
}

function linesOf(text: string): readonly string[] {
  const lines = cut(text, BODY_MAX)
    .split(/\r?\n/)
    .map((line) => line.trimEnd());
  const first = lines.findIndex((line) => line !== "");
  const last = lines.findLastIndex((line) => line !== "");
  return first === -1 ? [] : lines.slice(first, last + 1).slice(0, BODY_LINES_MAX);
}

/** Plain data without prototypes, its texts and lists cut to what a template may need. */
function bounded(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return cut(value, TEXT_MAX);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => bounded(item, depth + 1));
  const entries = Object.entries(value).map(([key, item]) => [key, bounded(item, depth + 1)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
