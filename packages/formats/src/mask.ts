/**
 * Secrets in text logs, hidden before anything is kept: product keys, passwords of deployment logs, answer files and
 * command lines.
 *
 * Source: KMS and setup logs print `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`; BDD.log prints `Property AdminPassword is now = …`.
 */
const PRODUCT_KEY = /(?<![A-Z0-9-])[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![A-Z0-9-])/gi;
/** `<Password><Value>secret</Value>`, `<AdministratorPassword>secret</…>`, plain or escaped. */
const PASSWORD_ELEMENT = /(<[a-z]{0,30}password>(?:\s{0,8}<value>)?)[^<]{1,1024}/gi;
/** `Property AdminPassword is now = secret with blanks`, up to the end of the line or of the CMTrace message. */
const PASSWORD_PROPERTY = /(password is now = )[^\r\n]*?(?=\]LOG\]!>|[\r\n]|$)/gi;
/** `AdminPassword = secret`, `password: secret`, `/password:secret`, `"UserPassword":"secret"`, `pwd=secret`. */
const PASSWORD_PAIR =
  /((?:password|passwd|pwd|passphrase)["']?\s{0,4}[=:]\s{0,4})("[^"\r\n]{0,1024}"|'[^'\r\n]{0,1024}'|[^\s,;"'<>]{1,1024})/gi;
/** `net user NAME secret`, `-p secret` after a tool that takes it. */
const NET_USER = /(\bnet1?(?:\.exe)?\s{1,4}user\s{1,4}\S{1,104}\s{1,4})(?!\/)(\S{1,128})/gi;

const MASKED_KEY = "*****-*****-*****-*****-*****";
const MASKED_PASSWORD = "********";

/** The text with product keys and passwords replaced by stars. */
export function maskSecrets(text: string): string {
  return text
    .replace(PRODUCT_KEY, MASKED_KEY)
    .replace(PASSWORD_ELEMENT, `$1${MASKED_PASSWORD}`)
    .replace(PASSWORD_PROPERTY, `$1${MASKED_PASSWORD}`)
    .replace(PASSWORD_PAIR, `$1${MASKED_PASSWORD}`)
    .replace(NET_USER, `$1${MASKED_PASSWORD}`);
}
