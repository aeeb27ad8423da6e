/** Who a sender is by the certificate it showed. */
import type { Socket } from "node:net";
import { type PeerCertificate, TLSSocket } from "node:tls";

/** The name in the certificate that a sender showed and that was checked. */
export function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return nameInCertificate(socket.getPeerCertificate());
}

/** The common name, else the first of the other names, else the fingerprint; nothing where there is no certificate. */
export function nameInCertificate(
  certificate: Partial<Pick<PeerCertificate, "subject" | "subjectaltname" | "fingerprint256">>,
): string | undefined {
  const common: unknown = certificate.subject?.CN;
  if (typeof common === "string" && common !== "") return common;
  const other = /^(?:DNS|IP Address|URI|email):([^,"]{1,255})/.exec(certificate.subjectaltname ?? "")?.[1];
  return other ?? certificate.fingerprint256;
}
