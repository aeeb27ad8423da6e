/**
 * Secrets that event text carries (command lines, connection strings, URLs) are taken out before a page is composed.
 * In: any text. Out: the same text with the secret's value as `***`. Source: RELIABILITY B54.
 */

/** `password=…`, `pwd: …`, `"token": "…"`, `/p:…`; the value ends at a space, a quote or a separator. */
const NAMED =
  /((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_ ]?key|access[-_ ]?key|client[-_ ]?secret|sharedaccesskey|accountkey|sig)["']?\s{0,3}[=:]\s{0,3}["']?)([^\s"',;&]{1,512})/gi;
const BEARER = /\b((?:bearer|basic|geniekey|splunk)\s{1,3})([a-z0-9._~+/=-]{8,2048})/gi;
/** `scheme://user:secret@host` */
const URL_LOGIN = /(:\/\/[^\s/:@]{1,128}:)([^\s/@]{1,256})(@)/g;
/** A Windows product key. */
const PRODUCT_KEY = /\b[a-z0-9]{5}(?:-[a-z0-9]{5}){4}\b/gi;

export function maskSecrets(text: string): string {
  return text
    .replace(NAMED, "$1***")
    .replace(BEARER, "$1***")
    .replace(URL_LOGIN, "$1***$3")
    .replace(PRODUCT_KEY, "*****-*****-*****-*****-*****");
}
