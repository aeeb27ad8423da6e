/** The page on standard output: for trying things out, and for `npm start`. */

import { plainLine } from "@culprit/model";
import { z } from "zod";
import { notifierKind } from "../notifier.ts";
import { renderContent } from "../page.ts";

const TerminalOptions = z.strictObject({
  width: z.int().min(40).max(400).default(110),
  color: z.boolean().default(false),
});

const RULE = "─";

export const terminal = notifierKind({
  kind: "terminal",
  options: TerminalOptions,
  open: (options, { write }) => ({
    async send({ page, action, reason, test }) {
      const drill = test ? "TEST, nothing has happened · " : "";
      const why = action === "trigger" && reason === "first" ? "" : ` · ${reason.replaceAll("-", " ")}`;
      const line = plainLine(`${drill}${action}${why}`);
      const rule = RULE.repeat(Math.max(0, options.width - line.length - 4));
      await write(`\n${RULE.repeat(2)} ${line} ${rule}\n${renderContent(page, options)}\n`);
      return { result: "ok", certainty: "delivered" };
    },
  }),
});
