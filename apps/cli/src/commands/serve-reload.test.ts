import { issueCertificate } from "@latchkey/server/testing";
import type { IssuedCertificate } from "@latchkey/server/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const launcher = fileURLToPath(new URL("../../bin/latchkey.js", import.meta.url));

async function shownSerial(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

test.skipIf(process.platform === "win32")("SIGHUP ends nothing: the certificate is read again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-reload-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const write = ({ cert, key }: IssuedCertificate): void => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
  };
  write(issueCertificate(["localhost"]));
  const args = ["serve", "--json", "--port", "0", "--data", join(folder, "data"), "--tls-cert", certFile, "--tls-key", keyFile];
  // A session of its own: it has no terminal, as under a supervisor.
  const child = spawn(process.execPath, [launcher, ...args, "--web-root", ""], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let warnings = "";
  child.stderr.on("data", (chunk: Buffer) => (warnings += chunk.toString()));
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line]: string[] = await once(createInterface({ input: child.stdout }), "line");
  const { url } = JSON.parse(line ?? "") as { url: string };
  const port = Number(new URL(url).port);
  const first = await shownSerial(port);

  write(issueCertificate(["localhost"]));
  child.kill("SIGHUP");
  await expect.poll(() => shownSerial(port), { timeout: 10_000 }).not.toBe(first);
  const second = await shownSerial(port);

  writeFileSync(keyFile, issueCertificate(["localhost"]).key);
  child.kill("SIGHUP");
  await expect.poll(() => warnings, { timeout: 10_000 }).toContain("does not belong to the certificate");
  expect(await shownSerial(port)).toBe(second);
  expect(warnings.trim().split("\n")).toHaveLength(1);

  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});
