// What a newcomer is told when the address or the invitation is wrong, by a real client and a real server.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openNodeClient } from "@latchkey/client/node";
import { startServer } from "@latchkey/server";
import type { RunningServer, ServerOptions } from "@latchkey/server";
import { issueCertificate } from "@latchkey/server/testing";
import { expect, onTestFinished, test } from "vitest";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-register-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function runServer(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({ port: 0, dataDirectory: temporaryFolder(), logLevel: "silent", ...options });
  onTestFinished(() => server.close());
  return server;
}

/** What somebody who registers there is told. */
async function told(serverUrl: string, invitation?: string): Promise<string> {
  const client = await openNodeClient({ home: temporaryFolder(), serverUrl });
  try {
    await client.register({ username: "newcomer", ...(invitation === undefined ? {} : { invitation }) });
    return "registered";
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${String(Reflect.get(error, "code"))}: ${error.message}`;
  } finally {
    await client.close();
  }
}

test("a certificate that nobody signed is named as such, and so is http in the place of https, either way", async () => {
  const secure = await runServer({ tls: issueCertificate(["localhost"]) });
  expect(await told(`https://localhost:${secure.port}`)).toMatch(/^offline: The server's certificate is signed by nobody/);
  expect(await told(`http://localhost:${secure.port}`)).toMatch(/^offline: What answers there does not speak http: /);
  const plain = await runServer();
  expect(await told(`https://localhost:${plain.port}`)).toMatch(/^offline: What answers there does not speak https: /);
  await plain.close();
  expect(await told(`http://localhost:${plain.port}`)).toMatch(/^offline: Nothing answers at this address/);
});

test("a wrong invitation is not the same as a server that takes nobody", async () => {
  const invited = await runServer({ registration: "invitation", invitationCodes: ["oak"] });
  const { url } = invited;
  expect(await told(url)).toMatch(/^invalid_invitation: This server takes new accounts by invitation only/);
  expect(await told(url, "elm")).toMatch(/^invalid_invitation: The server does not take this invitation/);
  expect(await told(url, "oak")).toBe("registered");
  const closed = await runServer({ registration: "closed" });
  expect(await told(closed.url, "oak")).toMatch(/^registration_closed: /);
});
