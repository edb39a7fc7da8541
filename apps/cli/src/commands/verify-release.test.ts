import { makeRelease, testContent, testManifest } from "@latchkey/releases/testing";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runWith } from "../run.testing.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-release-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function verified(zip: Uint8Array, ...args: string[]): Promise<{ status: number; stdout: string; stderr: string; opened: object[] }> {
  writeFileSync(join(folder, "release.zip"), zip);
  return runWith(folder, ["verify-release", "release.zip", ...args]);
}

test("[F-7] a release is verified without a server: what was asked and given, who approved it, and whose key signed it", async () => {
  const { zip, key } = await makeRelease();
  const { status, stdout, stderr, opened } = await verified(zip, "--host", "chat.example", "--key", Buffer.from(key).toString("base64url"));
  expect([status, stderr, opened]).toEqual([0, "", []]);
  for (const words of [
    "Everything holds.",
    "Staatsanwaltschaft (DE), 12 Js 34/26",
    "account-1.json: as approved",
    "Ana (reviewer)",
    "Ben (reviewer)",
    "Approved by two people who run the server",
  ]) {
    expect(stdout).toContain(words);
  }
  expect((await verified(zip)).stdout).toContain("compare it with the server's public record");
});

test("[F-7] what was altered, dropped, added or approved by others ends with exit status 1 and says so", async () => {
  const altered = new Map([...testContent, ["letter-1.pdf", new Uint8Array(15)]]);
  const cases = [
    [{ content: altered }, "a file is not the one that was approved"],
    [{ content: new Map([...testContent].slice(1)) }, "a file that was approved is missing"],
    [{ content: new Map([...testContent, ["more.json", new Uint8Array(1)]]) }, "a file is there that was not approved"],
    [{ alteredAfter: { ...testManifest, notHeld: [] } }, "an approval does not hold over these bytes"],
  ] as const;
  for (const [parts, words] of cases) {
    const { status, stdout, stderr } = await verified((await makeRelease(parts)).zip);
    expect(status).toBe(1);
    expect(stderr).toContain(`latchkey: release_invalid: ${words}`);
    expect(stdout).toContain(`! ${words}`);
  }
  const { zip } = await makeRelease();
  expect((await verified(zip, "--host", "other.example")).stderr).toContain("another server");
  expect((await verified(zip, "--key", Buffer.alloc(32).toString("base64url"))).stderr).toContain("another key");
  for (const key of ["short", `${Buffer.alloc(32).toString("base64url")}*`]) expect((await verified(zip, "--key", key)).status).toBe(2);
  expect((await verified(new Uint8Array(100))).stderr).toContain("latchkey: no_release:");
  expect((await runWith(folder, ["verify-release", "absent.zip"])).stderr).toContain("latchkey: ENOENT:");
});

test("names in a release do not reach the terminal as control characters", async () => {
  const request = { ...testManifest.request, authority: "Court\u001b[2J\nSigned by nobody" };
  const { stdout } = await verified((await makeRelease({ manifest: { ...testManifest, request } })).zip);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).toContain("Court\uFFFD[2J Signed by nobody");
});
