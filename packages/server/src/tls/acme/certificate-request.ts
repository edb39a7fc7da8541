import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { bitString, contextTag, integer, objectIdentifier, octetString, sequence, setOf } from "../der.ts";

const ecdsaWithSha256 = "1.2.840.10045.4.3.2";
const extensionRequest = "1.2.840.113549.1.9.14";
const subjectAlternativeName = "2.5.29.17";

/** A request for a certificate of these DNS names (PKCS #10, RFC 2986), DER. Its subject is empty: names stand in the extension alone. */
export function createCertificateRequest(names: readonly string[], keyPem: string): Uint8Array {
  const key = createPrivateKey(keyPem);
  const alternatives = sequence(...names.map((name) => contextTag(2, Buffer.from(name, "latin1"), "primitive")));
  const extensions = sequence(sequence(objectIdentifier(subjectAlternativeName), octetString(alternatives)));
  const attribute = sequence(objectIdentifier(extensionRequest), setOf(extensions));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const body = sequence(integer(0), sequence(), publicKey, contextTag(0, attribute));
  const signature = sign("sha256", body, { key, dsaEncoding: "der" });
  return sequence(body, sequence(objectIdentifier(ecdsaWithSha256)), bitString(signature));
}
