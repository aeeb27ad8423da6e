/** Answers to what never became a request: broken framing, headers that are too large, a sender that is too slow. */

const TEXTS = {
  timeout: "408 Request Timeout",
  "headers-too-large": "431 Request Header Fields Too Large",
  malformed: "400 Bad Request",
} as const;

export interface ClientErrorAnswer {
  readonly reason: keyof typeof TEXTS;
  /** The whole answer as it goes to the socket, which is closed after it. */
  readonly text: string;
}

/** The answer to an error of Node's HTTP parser. */
export function clientErrorAnswer(error: { readonly code?: string }): ClientErrorAnswer {
  const reason = reasonOf(error.code);
  const body = JSON.stringify({ error: TEXTS[reason].slice(4) });
  const head = [
    `HTTP/1.1 ${TEXTS[reason]}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  return { reason, text: `${head.join("\r\n")}\r\n\r\n${body}` };
}

function reasonOf(code: string | undefined): ClientErrorAnswer["reason"] {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "timeout";
  return code === "HPE_HEADER_OVERFLOW" ? "headers-too-large" : "malformed";
}
