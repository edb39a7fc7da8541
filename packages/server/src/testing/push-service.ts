import { createPublicKey, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import { encode } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { encodeWakeTarget, wakeAad, wakeInfo, wakeKeyId, wakeSuite, wakeTokenCodec } from "@latchkey/protocol/wakes";
import { random } from "./accounts.ts";
import { issueCertificate } from "./issue-certificate.ts";
import type { IssuedCertificate } from "./issue-certificate.ts";

/** What a push service was asked. */
export interface PushRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Bytes of its content. */
  readonly bytes: number;
  readonly atMs: number;
}

/** A push service of RFC 8030 on this machine. */
export interface TestPushService {
  /** As an operator names it: `localhost:PORT`. */
  readonly host: string;
  /** The certificate that it shows, PEM. */
  readonly ca: string;
  readonly requests: readonly PushRequest[];
  /** What it answers from now on. */
  answer(status: number, headers?: Record<string, string>): void;
  /** Waits for the next request that was not waited for. */
  next(): Promise<PushRequest>;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startPushService(certificate: IssuedCertificate = issueCertificate(["localhost"])): Promise<TestPushService> {
  const { cert, key } = certificate;
  const requests: PushRequest[] = [];
  const waiting: ((request: PushRequest) => void)[] = [];
  let taken = 0;
  let answered: { status: number; headers: Record<string, string> } = { status: 201, headers: {} };
  const server = createServer({ cert, key }, (request, response) => {
    let bytes = 0;
    request.on("data", (part: Buffer) => {
      bytes += part.length;
    });
    request.on("end", () => {
      const { url: path = "", headers } = request;
      const asked = { path, headers, bytes, atMs: Date.now() };
      requests.push(asked);
      const waiter = waiting.shift();
      if (waiter !== undefined) {
        taken += 1;
        waiter(asked);
      }
      response.writeHead(answered.status, answered.headers);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the push service has no port");
  return {
    host: `localhost:${address.port}`,
    ca: cert,
    requests,
    answer(status, headers = {}) {
      answered = { status, headers };
    },
    next() {
      const known = requests[taken];
      if (known === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken += 1;
      return Promise.resolve(known);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A token as a device seals it for its host; each of `tokenId`, where it is not said, another. */
export async function sealTestWakeToken(params: {
  host: string;
  publicKey: Uint8Array;
  endpoint: string;
  notAfterMs: number;
  tokenId?: Uint8Array;
}): Promise<Uint8Array> {
  const { host, publicKey, endpoint, notAfterMs, tokenId = random(16) } = params;
  const head = { host, keyId: wakeKeyId(publicKey), notAfterMs };
  const plaintext = encodeWakeTarget({ tokenId, endpoint });
  const suite = nodeCrypto.suite(wakeSuite);
  const sealed = await suite.hpkeSeal({ publicKey, info: wakeInfo, aad: wakeAad(head), plaintext, random });
  return encode(wakeTokenCodec, { format: 1, ...head, ...sealed });
}

/** The claims of an `Authorization` header of RFC 8292, once its signature holds under the key in it, and that key. */
export function readVapid(authorization: string): { claims: { aud: string; exp: number; sub: string }; key: Uint8Array } {
  const [, head = "", body = "", signature = "", key = ""] = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(authorization) ?? [];
  const point = Buffer.from(key, "base64url");
  const part = (from: number): string => point.subarray(from, from + 32).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x: part(1), y: part(33) }, format: "jwk" });
  const isSigned = verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  if (!isSigned) throw new Error("the signature of the VAPID token does not hold");
  return { claims: JSON.parse(Buffer.from(body, "base64url").toString("utf8")), key: point };
}
