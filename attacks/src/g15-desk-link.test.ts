// G15 | a stranger, an account or another site's page reads the operator's desk; its link is seen by somebody else | P
// Source: RFC 9700 (codes used twice); OWASP session management
// Counter-measure: one-time links that the machine alone makes; 256 bits, minutes; a second use closes what the first opened (E-96)
import { request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@latchkey/server";
import { describe, expect, test } from "vitest";
import type { TestContext } from "vitest";

interface Scene {
  readonly url: string;
  /** A command of the operator, over the socket in the data folder. */
  readonly operator: (command: string, params?: object) => Promise<Record<string, unknown>>;
  readonly post: (path: string, body: string, headers?: Record<string, string>) => Promise<{ status: number; text: string }>;
}

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
  onTestFinished(() => server.close());
  return {
    url: server.url,
    operator: (command, params = {}) =>
      new Promise((resolve, reject) => {
        const sent = request({ socketPath: join(dataDirectory, "admin.sock"), method: "POST", path: `/${command}` }, (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (text += chunk));
          // Answers are JSON objects.
          response.on("end", () => resolve(JSON.parse(text) as Record<string, unknown>));
        });
        sent.on("error", reject);
        sent.end(JSON.stringify(params));
      }),
    post: async (path, body, headers = {}) => {
      const response = await fetch(`${server.url}/v1/desk/${path}`, { method: "POST", body, headers });
      return { status: response.status, text: await response.text() };
    },
  };
}

async function linkOf({ operator }: Scene): Promise<string> {
  return String((await operator("desk-open"))["link"]).split("#open=")[1] ?? "";
}

function tokenOf({ text }: { text: string }): Record<string, string> {
  // As the test before showed, it is there.
  return { authorization: `Bearer ${(JSON.parse(text) as { token: string }).token}` };
}

describe("G15", () => {
  test("whoever stole the link and was first is thrown out when its owner comes, who is told", async (context) => {
    const world = await scene(context);
    const secret = await linkOf(world);
    const thief = tokenOf(await world.post("open", secret));
    expect((await world.post("read/status", "{}", thief)).status).toBe(200);
    expect(await world.post("open", secret)).toEqual({ status: 409, text: '{"code":"link_used"}' });
    expect((await world.post("read/status", "{}", thief)).status).toBe(404);
    expect(await world.operator("desk-list")).toEqual({ doors: [] });
  });

  test("guesses, other sites' pages and revoked sessions get what a path gets that there is not, and soon nothing", async (context) => {
    const world = await scene(context);
    const nothing = await world.post("no-such-path", "{}");
    const secret = await linkOf(world);
    const page = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect(await world.post("open", secret, page)).toEqual(nothing);
    const owner = tokenOf(await world.post("open", secret));
    expect(await world.post("read/accounts", "{}", { ...owner, ...page })).toEqual(nothing);
    expect((await world.post("read/suspend", '{"name":"alice"}', owner)).status).toBe(404);
    await world.operator("desk-revoke", { id: "all" });
    expect(await world.post("read/accounts", "{}", owner)).toEqual(nothing);
    const guesses = [];
    for (let guess = 0; guess < 70; guess += 1) guesses.push((await world.post("open", String(guess).padStart(43, "A"))).status);
    expect(new Set(guesses)).toEqual(new Set([404, 429]));
  });
});
