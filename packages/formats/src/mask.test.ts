import { expect, test } from "vitest";
import { maskSecrets } from "./mask.ts";

test.each([
  ["key ABCDE-12345-FGHIJ-67890-KLMNO end", "key *****-*****-*****-*****-***** end"],
  ["Property AdminPassword is now = P@ss w0rd", "Property AdminPassword is now = ********"],
  [
    "<![LOG[Property UserPassword is now = a b]LOG]!><time",
    "<![LOG[Property UserPassword is now = ********]LOG]!><time",
  ],
  ['{"UserPassword":"a b"}', '{"UserPassword":********}'],
  ["cmd /password:secret /x", "cmd /password:******** /x"],
  ["<Password><Value>secret</Value></Password>", "<Password><Value>********</Value></Password>"],
  ["<AdministratorPassword>x</AdministratorPassword>", "<AdministratorPassword>********</AdministratorPassword>"],
  ["net user bob Secret1 /add", "net user bob ******** /add"],
])("%s is masked", (text, masked) => expect(maskSecrets(text)).toBe(masked));

test.each([
  "The password has expired.",
  "{11111-22222}",
  "CMID 8a7d5e32-3c0d-4b0b-8f3b-2d1b7a0d9a11",
  "net user bob /delete",
])("%s is left alone", (text) => expect(maskSecrets(text)).toBe(text));
