/** Who a sender is by the certificate it showed. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** The name in the certificate that a sender showed and that was checked. */
export function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}
