import { createHash, createPublicKey, verify } from "node:crypto";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../testing/fixtures.ts";
import { issueCertificate } from "../../testing/issue-certificate.ts";
import { CertificateKeeper } from "../keeper.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { AcmeDirectory, AcmeError, problemOf } from "./directory.ts";
import { generateKey, keyAuthorization, signRequest } from "./jws.ts";
import { orderCertificate } from "./order.ts";
import { PlainHttp } from "./plain-http.ts";
import { Renewal } from "./renewal.ts";

const day = 86_400_000;

/** The contents of an element of DER, as far as two bytes of length go, and what follows it. */
function open(der: Uint8Array): { whole: Uint8Array; content: Uint8Array; rest: Uint8Array } {
  const first = der[1] ?? 0;
  const count = first < 0x80 ? 0 : first - 0x80;
  const size = count === 0 ? first : der.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  const start = 2 + count;
  return { whole: der.subarray(0, start + size), content: der.subarray(start, start + size), rest: der.subarray(start + size) };
}

test("a request is signed by the key that it names, over its URL and nonce", () => {
  const keyPem = generateKey();
  const text = signRequest({ keyPem, signer: { kind: "key" }, nonce: "n", url: "https://ca.example/new", payload: { a: 1 } });
  const { protected: head, payload, signature } = JSON.parse(text) as Record<"protected" | "payload" | "signature", string>;
  const { alg, jwk, nonce, url } = JSON.parse(Buffer.from(head, "base64url").toString()) as Record<string, unknown>;
  expect([alg, nonce, url]).toEqual(["ES256", "n", "https://ca.example/new"]);
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual({ a: 1 });
  const key = createPublicKey({ key: jwk as { kty: string }, format: "jwk" });
  const isRight = verify(
    "sha256",
    Buffer.from(`${head}.${payload}`),
    { key, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  expect(isRight).toBe(true);
  // RFC 7638: members in the order of the alphabet, nothing else.
  const thumbprint = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url");
  expect(Object.keys(jwk as object)).toEqual(["crv", "kty", "x", "y"]);
  expect(keyAuthorization("token", keyPem)).toBe(`token.${thumbprint}`);
  const later = JSON.parse(signRequest({ keyPem, signer: { kind: "account", url: "https://ca.example/1" }, nonce: "n", url: "u" })) as {
    protected: string;
    payload: string;
  };
  expect(later.payload).toBe("");
  expect(Buffer.from(later.protected, "base64url").toString()).toBe('{"alg":"ES256","kid":"https://ca.example/1","nonce":"n","url":"u"}');
});

test("a certificate request holds the names and the key, and is signed by it", () => {
  const keyPem = generateKey();
  const { content } = open(createCertificateRequest(["chat.example"], keyPem));
  const body = open(content);
  const signature = open(open(body.rest).rest).content.subarray(1);
  expect(verify("sha256", body.whole, createPublicKey(keyPem), signature)).toBe(true);
  expect(Buffer.from(body.whole).includes(createPublicKey(keyPem).export({ type: "spki", format: "der" }))).toBe(true);
  expect(Buffer.from(body.whole).toString("latin1")).toContain("chat.example");
});

describe("an authority that is broken or hostile", () => {
  const answering =
    (answer: () => Response | Error): typeof fetch =>
    async () => {
      const given = answer();
      if (given instanceof Error) throw given;
      return given;
    };
  test.each<[string, () => Response | Error, string]>([
    ["cannot be reached", () => new TypeError("network"), "cannot be reached"],
    ["sends a page", () => new Response("<html>"), "not of ACME"],
    ["sends a list", () => Response.json([]), "not of ACME"],
    ["sends without end", () => new Response(new Uint8Array(300_000)), "too long"],
    ["names what is not https", () => Response.json({ newAccount: "http://127.0.0.1:22/" }), "not of ACME"],
    ["names no resources", () => Response.json({}), "not of ACME"],
    [
      "refuses by words of its own",
      () =>
        Response.json(
          { type: "urn:ietf:params:acme:error:rateLimited", detail: "\u001B[31m ann@chat.example" },
          { status: 429, headers: { "retry-after": "3600" } },
        ),
      "refuses: rateLimited (429).",
    ],
  ])("%s: one sentence, and nothing of what it wrote", async (_what, answer, sentence) => {
    const params = { directoryUrl: "https://ca.example/", email: "a@b", accountKey: generateKey(), name: "chat.example" };
    const order = orderCertificate({ ...params, show: () => () => undefined, wait: async () => undefined, fetch: answering(answer) });
    const error: unknown = await order.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AcmeError);
    if (!(error instanceof AcmeError)) return;
    expect(error.message).toContain(sentence);
    expect(error.message).not.toContain("ann@");
    expect(error.retryAfterMs).toBe(sentence.includes("rateLimited") ? 3_600_000 : 0);
  });

  test("a nonce that is refused is asked for anew, five times at most", async () => {
    let posts = 0;
    const authority: typeof fetch = async (_input, init = {}) => {
      if (init.method === "GET") return Response.json({ newNonce: "https://ca.example/nonce" });
      const headers = { "replay-nonce": "n" };
      if (init.method === "HEAD") return new Response(undefined, { headers });
      posts++;
      return Response.json({ type: "urn:ietf:params:acme:error:badNonce" }, { status: 400, headers });
    };
    const directory = await AcmeDirectory.open("https://ca.example/", authority);
    const asked = directory.post("https://ca.example/x", { keyPem: generateKey(), signer: { kind: "key" } });
    await expect(asked).rejects.toThrow("badNonce");
    expect(posts).toBe(5);
  });

  test("only a short word of a problem is told", () => {
    const problem = (type: unknown): string => problemOf(Buffer.from(JSON.stringify({ type })));
    expect(problem("urn:ietf:params:acme:error:dns")).toBe("dns");
    for (const type of ["urn:ietf:params:acme:error:\u001B[31m", "x", 7, `urn:ietf:params:acme:error:${"a".repeat(99)}`]) {
      expect(problem(type)).toBe("for a reason that it does not name");
    }
  });
});

/** A renewal under a clock of its own, of an authority that nobody reaches. */
async function renewal(pair: { cert: string; key: string } | undefined) {
  const said: string[] = [];
  const timers: { delayMs: number; run: () => void }[] = [];
  let [asked, tries] = [0, 0];
  let nowMs = Date.now();
  const world = {
    nowMs: () => nowMs,
    setTimer: (delayMs: number, run: () => void) => {
      timers.push({ delayMs, run });
      return () => undefined;
    },
    warn: (message: string) => void said.push(message),
  };
  const source = pair ?? { cert: "", key: "" };
  const keeper = await CertificateKeeper.open({ source, host: "chat.example", world, isAwaited: true });
  const dataDirectory = temporaryDirectory();
  const unreachable: typeof fetch = async () => {
    asked++;
    throw new TypeError("network");
  };
  const order = {
    directoryUrl: "https://ca.example/",
    email: "a@b",
    name: "chat.example",
    show: () => () => undefined,
    fetch: unreachable,
  };
  const made = new Renewal({ keeper, world, dataDirectory, order });
  onTestFinished(() => made.close());
  /** The next timer fires, as late as it is due. */
  const next = async (): Promise<number> => {
    await expect.poll(() => timers.length).toBeGreaterThan(0);
    const timer = timers.shift();
    if (timer === undefined) throw new Error("no timer");
    tries = asked;
    nowMs += timer.delayMs;
    timer.run();
    return timer.delayMs;
  };
  return { made, keeper, said, next, asked: () => asked, triesBefore: () => tries, dataDirectory };
}

describe("renewal", () => {
  test("waits until two thirds of the certificate's life are over, however often the clock is looked at", async () => {
    const pair = issueCertificate(["chat.example"], { fromMs: Date.now(), untilMs: Date.now() + 3 * day });
    const { made, next, asked } = await renewal(pair);
    made.start();
    let slept = 0;
    while (asked() === 0 && slept < 4 * day) slept += await next();
    expect(Math.round(slept / 3_600_000)).toBe(48);
  });

  test("goes on after failures, ever more slowly; the certificate in use stays, and the reason is told once", async () => {
    const pair = issueCertificate(["chat.example"], { fromMs: Date.now() - 80 * day, untilMs: Date.now() + 20 * day });
    const { made, keeper, said, next, asked, triesBefore, dataDirectory } = await renewal(pair);
    made.start();
    // After each try, what is slept until the next: a timer stands once a try is over.
    const waits = new Map<number, number>();
    while (asked() < 12) {
      const slept = await next();
      const tries = triesBefore();
      waits.set(tries, (waits.get(tries) ?? 0) + slept / 60_000);
    }
    expect([...waits.values()].slice(0, 11)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720]);
    expect(said).toEqual([
      "No new certificate has come. The certificate authority cannot be reached. The certificate in use is kept. It is tried again.",
    ]);
    expect(keeper.reasons()).toMatchObject([{ code: "certificate_not_replaced", isFailure: false }]);
    expect(keeper.pair?.cert).toBe(pair.cert);
    expect(readdirSync(`${dataDirectory}/tls`)).toEqual(["acme-account.key"]);
  });
});

test("the plain port names its own host only, whatever it is asked", async () => {
  const plain = new PlainHttp("chat.example");
  onTestFinished(() => plain.close());
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  // A TCP server's address is always AddressInfo.
  const { port } = probe.address() as AddressInfo;
  await expect(plain.listen({ address: "127.0.0.1", port })).rejects.toMatchObject({ code: "port_in_use" });
  probe.close();
  await once(probe, "close");
  await plain.listen({ address: "127.0.0.1", port });
  const hide = plain.show("a-token", "a-token.thumb");
  const url = `http://127.0.0.1:${port}`;
  const challenge = `${url}/.well-known/acme-challenge/a-token`;
  expect(await (await fetch(challenge)).text()).toBe("a-token.thumb");
  hide();
  expect((await fetch(challenge)).status).toBe(404);
  const headers = { host: "evil.example", "x-forwarded-host": "evil.example" };
  const { status, headers: answered } = await fetch(`${url}/a/b?c`, { redirect: "manual", headers });
  expect([status, answered.get("location")]).toEqual([308, "https://chat.example/a/b?c"]);
});
