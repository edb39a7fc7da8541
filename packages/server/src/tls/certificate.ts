import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { ServerError } from "../errors.ts";
import { dayMs } from "../days.ts";

/** A certificate chain and its key, both PEM, as a file or a person gives them. */
export interface CertificateText {
  readonly cert: string;
  readonly key: string;
}

/** A pair that TLS can be spoken with: it was read, its key is the certificate's. */
export interface CertificatePair extends CertificateText {
  /** The server's own certificate, then those that lead to its issuer. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
}

/** What is wrong with the certificate. */
export type CertificateReasonCode =
  | "certificate_missing" // none yet: ACME has not brought one
  | "certificate_expired"
  | "certificate_not_yet_valid"
  | "certificate_other_name" // its names do not include the host
  | "certificate_expires_soon" // within a week, and nothing newer has come
  | "certificate_not_replaced"; // a newer pair is there and cannot be used, or ACME fails

/** Something that an operator should know of the certificate, in one sentence. */
export interface CertificateReason {
  readonly code: CertificateReasonCode;
  /** Whether browsers refuse the server because of it now; else it is going to happen. */
  readonly isFailure: boolean;
  readonly message: string;
}

const soonMs = 7 * dayMs;
const maxPemBytes = 262_144;

/**
 * Reads a pair.
 * @throws ServerError `tls_unusable` with one sentence: what cannot be read, or that the key is another certificate's
 */
export function readPair({ cert, key }: CertificateText): CertificatePair {
  if (cert.length + key.length > maxPemBytes) throw unusable("The TLS files are larger than a certificate and a key can be.");
  const [own, ...others] = (cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(readCertificate);
  if (own === undefined) {
    throw unusable("The TLS certificate is not in PEM form: it has to begin with -----BEGIN CERTIFICATE-----.");
  }
  if (!own.checkPrivateKey(readKey(key))) {
    throw unusable("The TLS key does not belong to the certificate: give the two files of one pair, the server's own certificate first.");
  }
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw unusable("The TLS certificate and key cannot be used together: make a new pair.", cause);
  }
  return { cert, key, chain: [own, ...others] };
}

/** What is wrong with a pair that can be used. @param host the server's public name, with a port or without */
export function reasonsAgainst(pair: CertificatePair, { host, nowMs }: { host: string; nowMs: number }): CertificateReason[] {
  const [own] = pair.chain;
  const name = nameOf(host);
  const reasons: CertificateReason[] = [];
  // A root that signs itself is in the browsers: its dates are theirs to judge.
  const counted = pair.chain.filter((certificate, index) => index === 0 || certificate.issuer !== certificate.subject);
  const untilMs = Math.min(...counted.map(({ validTo }) => Date.parse(validTo)));
  const fromMs = Math.max(...counted.map(({ validFrom }) => Date.parse(validFrom)));
  if (nowMs >= untilMs) {
    reasons.push({
      code: "certificate_expired",
      isFailure: true,
      message: `The TLS certificate expired on ${dayText(untilMs)}: browsers refuse this server until the files are replaced.`,
    });
  } else if (nowMs < fromMs) {
    reasons.push({
      code: "certificate_not_yet_valid",
      isFailure: true,
      message: `The TLS certificate is valid from ${dayText(fromMs)} only: check the clock of this machine, or use another certificate.`,
    });
  } else if (untilMs - nowMs < Math.min(soonMs, (untilMs - fromMs) / 3)) {
    reasons.push({
      code: "certificate_expires_soon",
      isFailure: false,
      message: `The TLS certificate expires on ${dayText(untilMs)}: renew it before.`,
    });
  }
  if ((isIP(name) === 0 ? own.checkHost(name, { subject: "never" }) : own.checkIP(name)) === undefined) {
    reasons.push({
      code: "certificate_other_name",
      isFailure: true,
      message: `The TLS certificate is not for ${name}: browsers refuse it there. Use one whose names include the host.`,
    });
  }
  return reasons;
}

/** When a pair should be replaced: after two thirds of the time that it is valid. Milliseconds since 1970. */
export function renewAtMs({ chain: [own] }: CertificatePair): number {
  const [fromMs, untilMs] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  return fromMs + ((untilMs - fromMs) * 2) / 3;
}

/** The name in a host: without the port, and without an IPv6 address's brackets. */
function nameOf(host: string): string {
  const { hostname } = new URL(`https://${host}`);
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw unusable("The TLS certificate cannot be read: the file is damaged or was not written to its end.", cause);
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    if (pem.includes("ENCRYPTED")) {
      throw unusable("The TLS key is protected by a passphrase, which nobody is there to type: give the key without one.", cause);
    }
    throw unusable("The TLS key cannot be read: it has to be one private key in PEM form.", cause);
  }
}

function dayText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function unusable(message: string, cause?: unknown): ServerError {
  return new ServerError("tls_unusable", message, cause === undefined ? {} : { cause });
}
