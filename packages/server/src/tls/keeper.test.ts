import { readFileSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { startServer } from "../server.ts";
import { runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { issueCertificate } from "../testing/issue-certificate.ts";
import type { IssuedCertificate } from "../testing/issue-certificate.ts";
import { TestClient } from "../testing/test-client.ts";
import { CertificateKeeper } from "./keeper.ts";

const day = 86_400_000;

function writePair(folder: string, pair: IssuedCertificate): { certFile: string; keyFile: string } {
  const files = { certFile: join(folder, "fullchain.pem"), keyFile: join(folder, "privkey.pem") };
  writeFileSync(files.certFile, pair.cert);
  writeFileSync(files.keyFile, pair.key);
  return files;
}

/** Serial number of the certificate that a server shows. */
async function shownSerial(port: number): Promise<string> {
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
  try {
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

/** A keeper on files, with what it said. */
async function openKeeper(pair: IssuedCertificate, host = "chat.example") {
  const folder = temporaryDirectory();
  const files = writePair(folder, pair);
  const said: string[] = [];
  const timers: (() => void)[] = [];
  const world = {
    nowMs: Date.now,
    setTimer: (_delayMs: number, run: () => void) => {
      timers.push(run);
      return () => undefined;
    },
    warn: (message: string) => void said.push(message),
  };
  const keeper = await CertificateKeeper.open({ source: files, host, world });
  onTestFinished(() => keeper.close());
  return { keeper, files, folder, said, codes: () => keeper.reasons().map(({ code }) => code) };
}

describe("what is said at the start", () => {
  test("a good certificate: nothing, whatever the port, and under a name with a star", async () => {
    const { said, codes } = await openKeeper(issueCertificate(["other.example", "*.chat.example"]), "a.chat.example:8443");
    expect(said).toEqual([]);
    expect(codes()).toEqual([]);
  });

  test("one that expired, is not valid yet, expires soon, or is another host's: one sentence each, and it starts", async () => {
    const old = await openKeeper(issueCertificate(["chat.example"], { fromMs: Date.now() - 3 * day, untilMs: Date.now() - day }));
    expect(old.said).toEqual([expect.stringMatching(/^The TLS certificate expired on \d{4}-\d\d-\d\d: /)]);
    expect(old.keeper.reasons()).toMatchObject([{ code: "certificate_expired", isFailure: true }]);
    const early = await openKeeper(issueCertificate(["chat.example"], { fromMs: Date.now() + day }));
    expect(early.said).toEqual([expect.stringContaining("check the clock")]);
    expect(early.codes()).toEqual(["certificate_not_yet_valid"]);
    const soon = await openKeeper(issueCertificate(["chat.example"], { fromMs: Date.now() - 80 * day, untilMs: Date.now() + 6 * day }));
    expect(soon.keeper.reasons()).toMatchObject([{ code: "certificate_expires_soon", isFailure: false }]);
    const other = await openKeeper(issueCertificate(["www.example"]));
    expect(other.said).toEqual([
      "The TLS certificate is not for chat.example: browsers refuse it there. Use one whose names include the host.",
    ]);
    expect(other.codes()).toEqual(["certificate_other_name"]);
  });

  const good = issueCertificate(["localhost"]);
  const cut = good.cert.slice(0, 200);
  test.each<[string, Partial<IssuedCertificate>, string]>([
    ["swapped files", { cert: good.key, key: good.cert }, "not in PEM form"],
    ["another pair's key", { key: issueCertificate(["localhost"]).key }, "does not belong to the certificate"],
    ["half a certificate", { cert: cut }, "not in PEM form"],
    ["a damaged certificate", { cert: good.cert.replace(/\n.{40}/, "\n") }, "damaged"],
    ["half a key", { key: good.key.slice(0, 60) }, "key cannot be read"],
    ["an empty file", { cert: "" }, "not in PEM form"],
  ])("%s are refused in one sentence", async (_what, over, sentence) => {
    const files = writePair(temporaryDirectory(), { ...good, ...over });
    const started = startServer({ port: 0, logLevel: "silent", dataDirectory: temporaryDirectory(), tls: files });
    await expect(started).rejects.toMatchObject({ code: "tls_unusable", message: expect.stringContaining(sentence) });
  });

  test("files that are not there", async () => {
    const files = { certFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem" };
    const started = startServer({ port: 0, logLevel: "silent", dataDirectory: temporaryDirectory(), tls: files });
    await expect(started).rejects.toMatchObject({
      code: "tls_unusable",
      message: expect.stringContaining("/nowhere/cert.pem cannot be read"),
    });
  });
});

describe("a new pair", () => {
  test("is taken up by itself, without dropping a connection", async () => {
    const [first, second] = [issueCertificate(["localhost"]), issueCertificate(["localhost"])];
    const folder = temporaryDirectory();
    const files = writePair(folder, first);
    const server = await runServer({ tls: files });
    const before = await shownSerial(server.port);
    const client = await TestClient.connect(server.url, "log", { ca: first.cert });
    // As tools do it: beside the old ones, then in their place.
    for (const [file, text] of [
      [files.certFile, second.cert],
      [files.keyFile, second.key],
    ] as const) {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    }
    await expect.poll(() => shownSerial(server.port), { timeout: 10_000 }).not.toBe(before);
    expect(await client.ask({ kind: "ping" })).toMatchObject({ kind: "done" });
    const newcomer = await TestClient.connect(server.url, "log", { ca: second.cert });
    expect(await newcomer.ask({ kind: "ping" })).toMatchObject({ kind: "done" });
  });

  test("behind links, as certbot keeps them, is taken up when asked for (SIGHUP)", async () => {
    const [first, second] = [issueCertificate(["localhost"]), issueCertificate(["localhost"])];
    const archive = temporaryDirectory();
    const live = temporaryDirectory();
    const files = { certFile: join(live, "fullchain.pem"), keyFile: join(live, "privkey.pem") };
    for (const [index, pair] of [first, second].entries()) {
      writeFileSync(join(archive, `fullchain${index}.pem`), pair.cert);
      writeFileSync(join(archive, `privkey${index}.pem`), pair.key);
    }
    const link = (index: number): void => {
      for (const [file, name] of [
        [files.certFile, "fullchain"],
        [files.keyFile, "privkey"],
      ] as const) {
        if (index > 0) unlinkSync(file);
        symlinkSync(join(archive, `${name}${index}.pem`), file);
      }
    };
    link(0);
    const server = await runServer({ tls: files });
    const before = await shownSerial(server.port);
    link(1);
    await server.reload();
    expect(await shownSerial(server.port)).not.toBe(before);
  });

  test("that is broken, half written or has another key leaves the old one, with one line, until a good one comes", async () => {
    const { keeper, files, folder, said, codes } = await openKeeper(issueCertificate(["chat.example"]));
    const kept = keeper.pair;
    const next = issueCertificate(["chat.example"]);
    writeFileSync(files.certFile, next.cert);
    await keeper.reload();
    await keeper.reload();
    expect(said).toEqual([expect.stringMatching(/does not belong to the certificate.*The certificate in use is kept\.$/)]);
    expect(codes()).toEqual(["certificate_not_replaced"]);
    expect(keeper.pair).toBe(kept);
    writeFileSync(files.certFile, next.cert.slice(0, 300));
    await keeper.reload();
    expect(said).toHaveLength(2);
    unlinkSync(files.certFile);
    await keeper.reload();
    expect(said.at(-1)).toContain("cannot be read");
    expect(keeper.pair).toBe(kept);
    writePair(folder, next);
    await keeper.reload();
    expect(codes()).toEqual([]);
    expect(keeper.pair?.cert).toBe(next.cert);
    expect(readFileSync(files.certFile, "utf8")).toBe(next.cert);
  });

  test("whose dates are past is used, and told of", async () => {
    const { keeper, files, codes, said } = await openKeeper(issueCertificate(["chat.example"]));
    const old = issueCertificate(["chat.example"], { fromMs: Date.now() - 3 * day, untilMs: Date.now() - day });
    writeFileSync(files.certFile, old.cert);
    writeFileSync(files.keyFile, old.key);
    await keeper.reload();
    expect(codes()).toEqual(["certificate_expired"]);
    expect(said).toHaveLength(1);
  });
});

test("a certificate that browsers refuse is a reason of /healthz, until it is replaced", async () => {
  const files = writePair(
    temporaryDirectory(),
    issueCertificate(["localhost"], { fromMs: Date.now() - 3 * day, untilMs: Date.now() - day }),
  );
  const server = await runServer({ tls: files });
  const health = async (): Promise<{ status: number | undefined; body: string }> => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
    get({ port: server.port, path: "/healthz", rejectUnauthorized: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    }).on("error", reject);
    return await promise;
  };
  const red = await health();
  expect(red.status).toBe(503);
  expect(red.body).toContain("certificate");
  const good = issueCertificate(["localhost"]);
  writeFileSync(files.certFile, good.cert);
  writeFileSync(files.keyFile, good.key);
  await server.reload();
  expect((await health()).status).toBe(200);
});
