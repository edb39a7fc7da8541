import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { bitString, contextTag, element, integer, objectIdentifier, octetString, sequence, setOf, utf8String } from "../tls/der.ts";

/** A certificate and its key, PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;

/** A certificate for these DNS names that signs itself, valid from yesterday for 90 days unless said otherwise: for tests. @param publicKey whose it is, SPKI, where that is not the signer's */
export function issueCertificate(
  names: readonly string[],
  {
    fromMs = Date.now() - day,
    untilMs = Date.now() + 90 * day,
    key,
    publicKey,
  }: { fromMs?: number; untilMs?: number; key?: string; publicKey?: Uint8Array } = {},
): IssuedCertificate {
  const privateKey = key === undefined ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey : createPrivateKey(key);
  const spki = publicKey ?? createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const algorithm = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  const name = sequence(setOf(sequence(objectIdentifier("2.5.4.3"), utf8String(names[0] ?? "test"))));
  const alternatives = sequence(...names.map((each) => contextTag(2, Buffer.from(each, "latin1"), "primitive")));
  const extensions = sequence(
    sequence(objectIdentifier("2.5.29.17"), octetString(alternatives)),
    sequence(objectIdentifier("2.5.29.19"), element(0x01, Buffer.from([0xff])), octetString(sequence(element(0x01, Buffer.from([0xff]))))),
  );
  const body = sequence(
    contextTag(0, integer(2)),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(fromMs), time(untilMs)),
    name,
    spki,
    contextTag(3, extensions),
  );
  const signature = sign("sha256", body, { key: privateKey, dsaEncoding: "der" });
  const der = Buffer.from(sequence(body, algorithm, bitString(signature)));
  const lines = der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

function time(timeMs: number): Uint8Array {
  const digits = new Date(timeMs).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return element(0x18, Buffer.from(`${digits}Z`, "latin1"));
}
