/** Whose certificates are trusted: the system's authorities, and those of one's own house. */
import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";
import { z } from "zod";

const PEM_MAX_LENGTH = 1_000_000;

/** PEM certificates of authorities; a bundle of several is fine. */
export const Authorities = z.string().max(PEM_MAX_LENGTH).refine(isCertificate, "expected certificates in PEM");

/** Everything to trust; `undefined` for what the system trusts anyway. */
export function trustedAuthorities(own: string | undefined): readonly string[] | undefined {
  return own === undefined ? undefined : [...getCACertificates("default"), own];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false;
  }
}
