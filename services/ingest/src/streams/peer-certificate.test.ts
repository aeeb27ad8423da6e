import { expect, test } from "vitest";
import { nameInCertificate } from "./peer-certificate.ts";

test("a sender is named by its certificate's common name, else by another name in it, else by its fingerprint", () => {
  const subject = { C: "", ST: "", L: "", O: "Contoso", OU: "", CN: "sender-7" };
  const rest = { subjectaltname: "DNS:n7.contoso.com, DNS:n8", fingerprint256: "AA:BB" };
  expect(nameInCertificate({ subject, ...rest })).toBe("sender-7");
  expect(nameInCertificate({ subject: { ...subject, CN: "" }, ...rest })).toBe("n7.contoso.com");
  expect(nameInCertificate({ ...rest, subjectaltname: "othername:<unsupported>" })).toBe("AA:BB");
  expect(nameInCertificate({})).toBeUndefined();
});
