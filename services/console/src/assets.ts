/** Style, script and picture of the console: small files of our own, read once and served with their content's tag. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
}

const CSS = "text/css; charset=utf-8";
const FILES: Readonly<Record<string, string>> = {
  "base.css": CSS,
  "incident.css": CSS,
  "timeline.css": CSS,
  "console.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

/** Reads the assets; a request names one of them or nothing. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    Object.entries(FILES).map(([name, contentType]) => {
      const body = readFileSync(new URL(`./assets/${name}`, import.meta.url));
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      return [name, { contentType, body, etag }];
    }),
  );
}
