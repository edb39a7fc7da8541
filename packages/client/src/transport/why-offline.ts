/** What certificates are refused for, by Node.js's names; browsers do not say. */
const certificateCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

/**
 * Why a server cannot be reached, in one sentence that says what to do, where the platform gives a cause;
 * `undefined` where it does not. `url` is what was asked; nothing of it is said.
 */
export function whyOffline(cause: unknown, url: string): string | undefined {
  const code = codeOf(cause);
  if (code === undefined) return undefined;
  if (certificateCodes.has(code)) {
    return "The server's certificate is signed by nobody whom this machine trusts: get one from a certificate authority, or name its own in NODE_EXTRA_CA_CERTS.";
  }
  if (code === "CERT_HAS_EXPIRED") return "The server's certificate has expired: who runs the server must renew it.";
  if (code === "CERT_NOT_YET_VALID") return "The server's certificate is not valid yet: check the clock of this machine.";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "The server's certificate is of another host name: check the address.";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG" || code === "EPROTO") {
    return "What answers there does not speak https: check the address, perhaps it begins with http://.";
  }
  if (url.startsWith("http:") && (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code.startsWith("HPE_"))) {
    return "What answers there does not speak http: check the address, perhaps it begins with https://.";
  }
  if (code === "ENOTFOUND") return "There is no such host name: check the address.";
  if (code === "ECONNREFUSED") return "Nothing answers at this address: check it, and whether the server runs.";
  if (code === "EAI_AGAIN") return "The host name cannot be looked up now: this machine may have no network.";
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return "Nothing answers at this address: it is switched off, or something in between lets nothing through.";
  }
  return undefined;
}

/** The code of an error or of what caused it. */
function codeOf(error: unknown): string | undefined {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const code: unknown = Reflect.get(cause, "code");
    if (typeof code === "string") return code;
  }
  return undefined;
}
