import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate } from "@latchkey/server/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runWith } from "../run.testing.ts";

let home: string;
let server: Server | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-healthcheck-"));
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(home, { recursive: true, force: true });
});

async function listen(made: Server): Promise<number> {
  server = made;
  await new Promise<void>((resolve) => {
    made.listen(0, "127.0.0.1", resolve);
  });
  return (made.address() as AddressInfo).port;
}

test("what the server says of itself decides the exit status, in one line", async () => {
  let status = 200;
  const port = await listen(
    createServer((request, response) => response.writeHead(request.url === "/healthz" ? status : 404).end('{"status":"failed"}')),
  );
  const args = ["healthcheck", "--port", String(port), "--address", "0.0.0.0"];
  expect(await runWith(home, args)).toMatchObject({ status: 0, stdout: "healthy\n" });
  status = 503;
  const failed = await runWith(home, args);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toBe('latchkey: unhealthy: the server says that it is not well (503): {"status":"failed"}\n');
  server?.close();
  server?.closeAllConnections();
  expect(await runWith(home, args)).toMatchObject({ status: 1, stderr: expect.stringMatching(/^latchkey: unreachable: [^\n]+\n$/) });
});

test("an endless answer is no sign of health", async () => {
  const port = await listen(
    createServer((_request, response) => {
      const more = (): void => {
        if (response.write("x".repeat(65_536))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    }),
  );
  expect(await runWith(home, ["healthcheck", "--port", String(port)])).toMatchObject({ status: 1 });
});

test("over TLS, whatever name its certificate has", async () => {
  const { cert, key } = issueCertificate(["chat.example.org"]);
  const port = await listen(createSecureServer({ cert, key }, (_request, response) => response.end("{}")));
  writeFileSync(join(home, "cert.pem"), cert);
  writeFileSync(join(home, "key.pem"), key);
  const tls = ["--tls-cert", join(home, "cert.pem"), "--tls-key", join(home, "key.pem")];
  expect(await runWith(home, ["healthcheck", "--port", String(port), ...tls])).toMatchObject({ status: 0 });
});

test("with a certificate by ACME it asks by TLS, as browsers do", async () => {
  const { cert, key } = issueCertificate(["chat.example.org"]);
  const port = await listen(createSecureServer({ cert, key }, (_request, response) => response.end("{}")));
  const acme = ["--acme", "ann@example.org", "--acme-agree", "yes", "--host", "chat.example.org"];
  expect(await runWith(home, ["healthcheck", "--port", String(port), ...acme])).toMatchObject({ status: 0 });
});
