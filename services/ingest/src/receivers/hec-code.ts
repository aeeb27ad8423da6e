/** HEC's answers: code, status and text, exactly as Splunk gives them. Source: FORMATS.md section 5. */
import type { Answer } from "../http/answer.ts";

export interface HecCode {
  readonly code: number;
  readonly status: number;
  readonly text: string;
}

export const HEC = {
  success: { code: 0, status: 200, text: "Success" },
  tokenDisabled: { code: 1, status: 403, text: "Token disabled" },
  tokenRequired: { code: 2, status: 401, text: "Token is required" },
  invalidAuthorization: { code: 3, status: 401, text: "Invalid authorization" },
  invalidToken: { code: 4, status: 403, text: "Invalid token" },
  noData: { code: 5, status: 400, text: "No data" },
  invalidData: { code: 6, status: 400, text: "Invalid data format" },
  incorrectIndex: { code: 7, status: 400, text: "Incorrect index" },
  internal: { code: 8, status: 500, text: "Internal server error" },
  busy: { code: 9, status: 503, text: "Server is busy" },
  channelMissing: { code: 10, status: 400, text: "Data channel is missing" },
  channelInvalid: { code: 11, status: 400, text: "Invalid data channel" },
  eventRequired: { code: 12, status: 400, text: "Event field is required" },
  eventBlank: { code: 13, status: 400, text: "Event field cannot be blank" },
  ackDisabled: { code: 14, status: 400, text: "ACK is disabled" },
  indexedFields: { code: 15, status: 400, text: "Error in handling indexed fields" },
  tokenInQuery: { code: 16, status: 400, text: "Query string authorization is not enabled" },
  healthy: { code: 17, status: 200, text: "HEC is healthy" },
  unhealthy: { code: 18, status: 503, text: "HEC is unhealthy, queues are full" },
  stopping: { code: 23, status: 503, text: "Server is shutting down" },
  tooLarge: { code: 27, status: 413, text: "Request entity too large" },
} as const satisfies Readonly<Record<string, HecCode>>;

/** The answer for a code, with what else its body holds. */
export function hecAnswer({ code, status, text }: HecCode, more: Readonly<Record<string, unknown>> = {}): Answer {
  return { status, body: { text, code, ...more } };
}
