/** Action lines of a saved Elasticsearch `_bulk` request: they stand before each document, and are no events. */
import { type Format, LIKELY_MATCH, NO_MATCH } from "./format.ts";
import { fieldOf, isObject } from "./json-text.ts";

const ACTIONS = ["create", "index", "delete", "update"];
const ACTION_KEYS = /^(?:_index|_id|_type|pipeline|routing|require_alias|dynamic_templates|retry_on_conflict|op_type)$/;

export const bulkAction: Format = {
  name: "bulk-action",
  sniff(record) {
    if (record.shape !== "json") return NO_MATCH;
    const [only, ...others] = Object.keys(record.value);
    if (only === undefined || others.length > 0 || !ACTIONS.includes(only)) return NO_MATCH;
    const action = fieldOf(record.value, only);
    return isObject(action) && Object.keys(action).every((key) => ACTION_KEYS.test(key)) ? LIKELY_MATCH : NO_MATCH;
  },
  select: () => true,
  *decode() {},
};
