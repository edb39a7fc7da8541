import { createHash, createPublicKey, verify } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { dirname } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../testing/fixtures.ts";
import { issueCertificate } from "../../testing/issue-certificate.ts";
import { CertificateKeeper } from "../keeper.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { AcmeDirectory, AcmeError, problemOf } from "./directory.ts";
import { generateKey, keyAuthorization, signRequest } from "./jws.ts";
import { orderCertificate } from "./order.ts";
import { PlainHttp } from "./plain-http.ts";
import { Renewal, acmeFile } from "./renewal.ts";

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

describe("[E-92] an authority that is broken or hostile", () => {
  const answering =
    (answer: () => Response | Error): typeof fetch =>
    async () => {
      const given = answer();
      if (given instanceof Error) throw given;
      return given;
    };
  test.each<[string, () => Response | Error, string, string]>([
    ["cannot be reached", () => new TypeError("network"), "cannot be reached", "unreachable"],
    ["sends a page", () => new Response("<html>"), "not of ACME", "bad_answer"],
    ["sends a list", () => Response.json([]), "not of ACME", "bad_answer"],
    ["sends without end", () => new Response(new Uint8Array(300_000)), "too long", "bad_answer"],
    ["names what is not https", () => Response.json({ newAccount: "http://127.0.0.1:22/" }), "not of ACME", "bad_answer"],
    ["names no resources", () => Response.json({}), "not of ACME", "bad_answer"],
    [
      "refuses by words of its own",
      () =>
        Response.json(
          { type: "urn:ietf:params:acme:error:rateLimited", detail: "\u001B[31m ann@chat.example" },
          { status: 429, headers: { "retry-after": "3600" } },
        ),
      "refuses: rateLimited (429).",
      "refused",
    ],
  ])("%s: one sentence, and nothing of what it wrote", async (_what, answer, sentence, code) => {
    const params = { directoryUrl: "https://ca.example/", email: "a@b", accountKey: generateKey(), name: "chat.example" };
    const order = orderCertificate({ ...params, show: () => () => undefined, wait: async () => undefined, fetch: answering(answer) });
    const error: unknown = await order.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AcmeError);
    if (!(error instanceof AcmeError)) return;
    expect(error.message).toContain(sentence);
    expect(error.code).toBe(code);
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

/** An authority that believes everything, and sends what `issue` makes for the key of the request. */
function authority(issue: (publicKey: Uint8Array) => string): typeof fetch {
  const at = (name: string): string => `https://ca.example/${name}`;
  let sent: string | undefined;
  return async (input, init = {}) => {
    const headers = { "replay-nonce": "n", location: at("order") };
    const url = String(input);
    if (init.method !== "POST")
      return Response.json({ newNonce: at("nonce"), newAccount: at("account"), newOrder: at("new") }, { headers });
    if (url === at("certificate")) return new Response(sent, { headers });
    if (url === at("finalize")) {
      const { payload } = JSON.parse(String(init.body)) as { payload: string };
      const { csr } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { csr: string };
      // Version, subject, key.
      const key = open(open(open(open(open(Buffer.from(csr, "base64url")).content).content).rest).rest).whole;
      sent = issue(key);
    }
    const status = sent === undefined ? "ready" : "valid";
    if (url === at("new")) sent = undefined;
    return Response.json({ status, authorizations: [], finalize: at("finalize"), certificate: at("certificate") }, { headers });
  };
}

/** A renewal under a clock of its own, of an authority that nobody reaches unless one is given. */
async function renewal(pair: { cert: string; key: string } | undefined, reached?: typeof fetch) {
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
  const dataDirectory = temporaryDirectory();
  const file = acmeFile(dataDirectory);
  if (pair !== undefined) {
    mkdirSync(dirname(file));
    writeFileSync(file, pair.key + pair.cert);
  }
  const source = { certFile: file, keyFile: file };
  const keeper = await CertificateKeeper.open({ source, host: "chat.example", world, isAwaited: true });
  const asking: typeof fetch = async (input, init) => {
    const isFirst = init?.method === "GET";
    if (isFirst) asked++;
    if (reached === undefined) throw new TypeError("network");
    return reached(input, init);
  };
  const order = {
    directoryUrl: "https://ca.example/",
    email: "a@b",
    name: "chat.example",
    show: () => () => undefined,
    fetch: asking,
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
    expect(keeper.pair?.cert).toBe(pair.key + pair.cert);
    expect(readdirSync(`${dataDirectory}/tls`)).toEqual(["acme-account.key", "certificate.pem"]);
  });

  test("what the authority sends is used at once, and the next one is ordered when it is due", async () => {
    const pair = issueCertificate(["chat.example"], { fromMs: Date.now() - 80 * day, untilMs: Date.now() + 20 * day });
    let fromMs = Date.now() - 61 * day;
    const good = authority((publicKey) => {
      fromMs += 60 * day;
      return issueCertificate(["chat.example"], { publicKey, fromMs, untilMs: fromMs + 90 * day }).cert;
    });
    const { made, keeper, said, next, asked, dataDirectory } = await renewal(pair, good);
    made.start();
    let slept = 0;
    while (asked() < 2) slept += await next();
    expect(Math.round(slept / day)).toBe(59);
    expect(keeper.reasons()).toEqual([]);
    expect(said).toEqual([]);
    expect(readFileSync(acmeFile(dataDirectory), "utf8")).toBe(keeper.pair?.cert);
  });

  test.each<[string, (publicKey: Uint8Array) => string]>([
    ["it cannot be read, or is another key's", () => "nothing"],
    ["it cannot be read, or is another key's", () => issueCertificate(["chat.example"]).cert],
    ["it is for another name", (publicKey) => issueCertificate(["evil.example"], { publicKey }).cert],
    [
      "it has expired or is not valid yet: check the clock of this machine",
      (publicKey) => issueCertificate(["chat.example"], { publicKey, fromMs: Date.now() - 9 * day, untilMs: Date.now() - day }).cert,
    ],
  ])("what is of no use (%s) takes nothing's place, in no file either, and is a failure like others", async (why, issue) => {
    const pair = issueCertificate(["chat.example"], { fromMs: Date.now() - 80 * day, untilMs: Date.now() + 20 * day });
    const { made, keeper, said, next, asked, triesBefore, dataDirectory } = await renewal(pair, authority(issue));
    made.start();
    const waits = new Map<number, number>();
    while (asked() < 11) {
      const slept = await next();
      waits.set(triesBefore(), (waits.get(triesBefore()) ?? 0) + slept / 60_000);
    }
    expect([...waits.values()].slice(0, 10)).toEqual([60, 60, 60, 60, 60, 60, 64, 128, 256, 512]);
    expect(said).toEqual([
      `No new certificate has come. The certificate authority sent one that is of no use: ${why}. The certificate in use is kept. It is tried again.`,
    ]);
    expect(readFileSync(acmeFile(dataDirectory), "utf8")).toBe(pair.key + pair.cert);
    expect(keeper.pair?.cert).toBe(pair.key + pair.cert);
  });

  test("one that is out of time by this machine's clock is better than none, but the next one waits ever longer", async () => {
    const old = authority(
      (publicKey) => issueCertificate(["chat.example"], { publicKey, fromMs: Date.now() - 9 * day, untilMs: Date.now() - day }).cert,
    );
    const { made, keeper, next, asked, triesBefore } = await renewal(undefined, old);
    made.start();
    const waits = new Map<number, number>();
    while (asked() < 9) {
      const slept = await next();
      waits.set(triesBefore(), (waits.get(triesBefore()) ?? 0) + slept / 60_000);
    }
    expect([...waits.values()].slice(5, 8)).toEqual([60, 64, 128]);
    expect(keeper.pair).toBeDefined();
    expect(keeper.reasons()).toMatchObject([{ code: "certificate_expired" }, { code: "certificate_not_replaced" }]);
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
