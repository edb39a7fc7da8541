import { issueCertificate } from "@latchkey/server/testing";
import { freePort } from "@latchkey/testkit";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { frontOptions } from "./front-options.ts";

const launcher = fileURLToPath(new URL("../../bin/latchkey.js", import.meta.url));
const [pebble, names] = ["/usr/bin/pebble", "/usr/bin/pebble-challtestsrv"];
const isInstalled = existsSync(pebble) && existsSync(names);
if (!isInstalled) process.stdout.write("acme: no certificate is got by itself: Debian's package pebble is not installed here\n");

function start(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): { child: ChildProcess; said: () => string } {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const gone = once(child, "exit");
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await gone;
  });
  return { child, said: () => said };
}

/** The names of the certificate that a server shows; undefined where there is none. */
async function namesShown(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: "127.0.0.1", servername: "chat.example", rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().subjectaltname;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

describe.skipIf(!isInstalled)("a certificate authority that speaks ACME", () => {
  test(
    "gives the server its certificate, which is kept over restarts; without the authority the server runs on",
    { timeout: 240_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "latchkey-acme-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
      const at = (name: string): string => join(folder, name);
      const [authority, management, dns, port, httpPort] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const own = issueCertificate(["localhost"]);
      writeFileSync(at("cert.pem"), own.cert);
      writeFileSync(at("key.pem"), own.key);
      const config = {
        listenAddress: `127.0.0.1:${authority}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: at("cert.pem"),
        privateKey: at("key.pem"),
        httpPort,
        tlsPort: port,
        ocspResponderURL: "",
        externalAccountBindingRequired: false,
      };
      writeFileSync(at("pebble.json"), JSON.stringify({ pebble: config }));
      const nothingElse = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", `127.0.0.1:${await freePort()}`];
      start(names, ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", `127.0.0.1:${dns}`, ...nothingElse]);
      const { child: authorityProcess } = start(pebble, ["-config", at("pebble.json"), "-dnsserver", `127.0.0.1:${dns}`], {
        PEBBLE_VA_NOSLEEP: "1",
      });
      const serve = async (): Promise<ReturnType<typeof start>> => {
        const acme = ["--acme", "ann@chat.example", "--acme-agree", "yes", "--acme-directory", `https://localhost:${authority}/dir`];
        const where = ["--host", "chat.example", "--port", String(port), "--http-port", String(httpPort), "--data", at("data")];
        const started = start(process.execPath, [launcher, "serve", "--json", "--web-root", "", ...where, ...acme], {
          NODE_EXTRA_CA_CERTS: at("cert.pem"),
        });
        await expect.poll(() => started.said(), { timeout: 60_000 }).toContain('"running"');
        return started;
      };
      const first = await serve();
      await expect.poll(() => namesShown(port), { timeout: 90_000, interval: 500 }).toBe("DNS:chat.example");
      expect(first.said()).toContain("There is no TLS certificate yet");

      const files = readdirSync(at("data/tls"));
      expect(files.toSorted()).toEqual(["acme-account.key", "certificate.pem"]);
      for (const file of files) expect(statSync(at(`data/tls/${file}`)).mode & 0o777).toBe(0o600);

      const plain = `http://127.0.0.1:${httpPort}`;
      const asked = await fetch(`${plain}/somewhere?else`, { redirect: "manual" });
      expect([asked.status, asked.headers.get("location")]).toEqual([308, "https://chat.example/somewhere?else"]);
      expect((await fetch(`${plain}//evil.example`, { redirect: "manual" })).headers.get("location")).toBe(
        "https://chat.example//evil.example",
      );
      expect((await fetch(`${plain}/.well-known/acme-challenge/nothing`)).status).toBe(404);
      expect((await fetch(`${plain}/v1/blobs/x`, { method: "PUT", body: "x" })).status).toBe(403);

      authorityProcess.kill("SIGTERM");
      first.child.kill("SIGTERM");
      expect((await once(first.child, "exit"))[0]).toBe(0);
      const second = await serve();
      expect(await namesShown(port)).toBe("DNS:chat.example");
      expect(second.said()).not.toContain("certificate");

      // And from nothing, with nobody there.
      second.child.kill("SIGTERM");
      await once(second.child, "exit");
      rmSync(at("data/tls/certificate.pem"));
      const third = await serve();
      await expect.poll(() => third.said(), { timeout: 60_000 }).toContain("The certificate authority cannot be reached");
      expect(third.child.exitCode).toBeNull();
    },
  );
});

describe("the options", () => {
  const options = (settings: Record<string, string>, host?: string): unknown =>
    frontOptions((flag) => settings[flag], { host, workingDirectory: "/srv" });

  test("name the authority, an address, and that its terms are accepted", () => {
    const acme = { acme: "ann@chat.example", "acme-agree": "yes" };
    expect(options(acme, "chat.example:8443")).toEqual({
      acme: { email: "ann@chat.example", directoryUrl: "https://acme-v02.api.letsencrypt.org/directory" },
    });
    expect(options({ ...acme, "http-port": "8081", "acme-directory": "https://ca.example/dir" }, "chat.example")).toEqual({
      acme: { email: "ann@chat.example", directoryUrl: "https://ca.example/dir" },
      httpPort: 8081,
    });
    expect(options({})).toEqual({});
  });

  test.each<[Record<string, string>, string | undefined, string]>([
    [{ acme: "ann@chat.example" }, "chat.example", "--acme-agree yes"],
    [{ acme: "ann", "acme-agree": "yes" }, "chat.example", "e-mail address"],
    [{ acme: "ann@chat.example", "acme-agree": "yes" }, undefined, "--host"],
    [{ acme: "ann@chat.example", "acme-agree": "yes" }, "localhost:8080", "--host"],
    [{ acme: "ann@chat.example", "acme-agree": "yes" }, "192.0.2.1", "--host"],
    [{ acme: "ann@chat.example", "acme-agree": "yes", "acme-directory": "http://ca.example" }, "chat.example", "https URL"],
    [{ acme: "ann@chat.example", "acme-agree": "yes", "tls-cert": "a", "tls-key": "b" }, "chat.example", "does without"],
    [{ "acme-agree": "yes" }, "chat.example", "need --acme"],
    [{ "http-port": "80" }, "chat.example", "needs --acme"],
    [{ "tls-cert": "a", "tls-key": "b", "http-port": "0" }, "chat.example", "--http-port"],
  ])("%j under %s are refused with what to do", (settings, host, sentence) => {
    expect(() => options(settings, host)).toThrow(sentence);
  });
});
