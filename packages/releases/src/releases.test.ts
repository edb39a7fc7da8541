import { concatBytes, toHex, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { encodeApprovals, encodeSignature, waitMs } from "./approvals.ts";
import type { Approval } from "./approvals.ts";
import { zipRelease } from "./file.ts";
import { decodeManifest, encodeManifest } from "./manifest.ts";
import {
  fileOf,
  makeRelease,
  TestPasskey,
  testContent as content,
  testLetter as letter,
  testManifest as manifest,
  testNowMs as nowMs,
  testOrigin as origin,
} from "./testing/index.ts";
import type { TestRelease } from "./testing/index.ts";
import { verifyRelease } from "./verify.ts";
import type { ReleaseProblem } from "./verify.ts";

async function problemsOf(parts: TestRelease): Promise<readonly ReleaseProblem[]> {
  return (await verifyRelease((await makeRelease(parts)).zip)).problems;
}

describe("a release file", () => {
  test("[F-7] that nobody altered holds, by its host and key too, and says what was given", async () => {
    const { zip, key } = await makeRelease();
    const check = await verifyRelease(zip, { host: "chat.example", key });
    expect(check.problems).toEqual([]);
    expect(check.manifest).toEqual(manifest);
    expect(check.files.map(({ state }) => state)).toEqual(["as-approved", "as-approved"]);
    expect(check.areValid).toEqual([true, true]);
    expect(check.signedBy).toEqual(key);
  });

  test("[F-7] is the same bytes in every time zone and at any time", async () => {
    const parts = { manifest: encodeManifest(manifest), approvals: utf8Bytes("{}"), content };
    const here = toHex(sha256(zipRelease(parts)));
    const script = `
      import { zipRelease } from ${JSON.stringify(new URL("./file.ts", import.meta.url).href)};
      import { createHash } from "node:crypto";
      const parts = JSON.parse(process.argv[1]);
      const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
      const content = new Map(parts.content.map(([name, hex]) => [name, bytes(hex)]));
      process.stdout.write(createHash("sha256").update(zipRelease({ manifest: bytes(parts.manifest), approvals: bytes(parts.approvals), content })).digest("hex"));`;
    const hex = JSON.stringify({
      manifest: toHex(parts.manifest),
      approvals: toHex(parts.approvals),
      content: [...content].map(([name, bytes]) => [name, toHex(bytes)]),
    });
    for (const TZ of ["Pacific/Kiritimati", "America/St_Johns", "Asia/Kolkata"]) {
      const there = execFileSync(process.execPath, ["--input-type=module", "-e", script, hex], {
        env: { ...process.env, TZ },
        encoding: "utf8",
      });
      expect(there).toBe(here);
    }
  }, 120_000);

  test("[F-7] an altered, dropped or added file is found", async () => {
    expect(await problemsOf({ content: new Map([...content, ["letter-1.pdf", utf8Bytes("%PDF-1.7 lettre")]]) })).toEqual(["file-altered"]);
    expect(await problemsOf({ content: new Map([...content].slice(1)) })).toEqual(["file-missing"]);
    expect(await problemsOf({ content: new Map([...content, ["more.json", utf8Bytes("{}")]]) })).toEqual(["file-added"]);
  });

  test("[F-7] bytes before, after or between its parts are found", async () => {
    const { zip } = await makeRelease();
    // A comment at the end of the archive, as its last two bytes announce it.
    const commented = concatBytes(zip.slice(0, -2), Uint8Array.of(3, 0), utf8Bytes("hey"));
    expect((await verifyRelease(commented)).problems).toEqual(["not-as-written"]);
  });

  test("[F-7] approvals of other bytes, of another release or without the person's touch do not hold", async () => {
    const other = { ...manifest, releaseId: "BBBBBBBBBBBBBBBBBBBBBB" };
    expect(await problemsOf({ alteredAfter: { ...manifest, notHeld: [] } })).toEqual(["approval-invalid", "too-few"]);
    expect(await problemsOf({ alteredAfter: other })).toEqual(["approval-invalid", "too-few"]);
    const [one, two] = [await TestPasskey.create(), await TestPasskey.create()];
    const approve = async (digest: Uint8Array): Promise<readonly Approval[]> => [
      await one.approve({ digest, origin, who: "Ana", atMs: nowMs }),
      await two.approve({ digest, origin, who: "Ben", atMs: nowMs, isUnverified: true }),
    ];
    expect(await problemsOf({ approve })).toEqual(["approval-invalid", "too-few"]);
    const elsewhere = async (digest: Uint8Array): Promise<readonly Approval[]> => [
      await one.approve({ digest, origin, who: "Ana", atMs: nowMs }),
      await two.approve({ digest, origin: "https://chat.example.evil.example", who: "Ben", atMs: nowMs }),
    ];
    expect(await problemsOf({ approve: elsewhere })).toEqual(["approval-invalid", "too-few"]);
  });

  test("[F-7] one person is not two, by name or by passkey, and nobody is enough alone before a day is over", async () => {
    const [one, two] = [await TestPasskey.create(), await TestPasskey.create()];
    const as =
      (who: string, key: TestPasskey, role: Approval["role"] = "reviewer", atMs = nowMs) =>
      (digest: Uint8Array) =>
        key.approve({ digest, origin, who, role, atMs });
    const all =
      (...makers: readonly ((digest: Uint8Array) => Promise<Approval>)[]) =>
      (digest: Uint8Array) =>
        Promise.all(makers.map(async (one) => one(digest)));
    expect(await problemsOf({ approve: all(as("Ana", one), as("Ana", two)) })).toEqual(["same-person"]);
    expect(await problemsOf({ approve: all(as("Ana", one), as("Ben", one)) })).toEqual(["same-person"]);
    expect(await problemsOf({ approve: all(as("Ana", one)) })).toEqual(["too-few"]);
    expect(await problemsOf({ approve: all(as("Ana", one), as("Ben", two, "outside")) })).toEqual(["too-few"]);
    expect(await problemsOf({ rule: "staff-and-outside", approve: all(as("Ana", one), as("Ben", two, "outside")) })).toEqual([]);
    expect(await problemsOf({ rule: "staff-and-outside", approve: all(as("Ana", one), as("Ben", two)) })).toEqual(["outside-missing"]);
    expect(await problemsOf({ rule: "staff-and-wait", approve: all(as("Ana", one)), releasedAtMs: nowMs + waitMs - 1 })).toEqual([
      "wait-missing",
    ]);
    expect(await problemsOf({ rule: "staff-and-wait", approve: all(as("Ana", one)), releasedAtMs: nowMs + waitMs })).toEqual([]);
    expect(await problemsOf({ releasedAtMs: nowMs })).toEqual(["approval-late"]);
  });

  test("[F-7] other approvals, another host or another key than expected are found", async () => {
    const [first, second] = [await makeRelease(), await makeRelease({ releasedAtMs: nowMs + 20 })];
    const parts = { manifest: encodeManifest(manifest), content };
    const { approvals } = await verifyRelease(second.zip);
    const { key, signature } = await (await TestPasskey.create()).sign(utf8Bytes("something else"));
    const mixed = zipRelease({ ...parts, approvals: encodeApprovals(approvals), signature: encodeSignature({ key, signature }) });
    expect((await verifyRelease(mixed)).problems).toEqual(["signature-invalid"]);
    expect((await verifyRelease(first.zip, { key: second.key })).problems).toEqual(["other-key"]);
    expect((await verifyRelease(first.zip, { host: "other.example" })).problems).toEqual(["other-host"]);
    expect(await problemsOf({ isUnsigned: true })).toEqual(["signature-missing"]);
  });

  test("[F-7] [E-240] every byte that is altered, and every end that is cut off, is found", async () => {
    const { zip, key } = await makeRelease();
    const holds = async (bytes: Uint8Array): Promise<boolean> => {
      try {
        return (await verifyRelease(bytes, { host: "chat.example", key })).problems.length === 0;
      } catch {
        return false;
      }
    };
    for (let at = 0; at < zip.length; at += 7) {
      const altered = zip.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      expect(await holds(altered), `byte ${at}`).toBe(false);
    }
    for (let length = 0; length < zip.length; length += 97) expect(await holds(zip.slice(0, length))).toBe(false);
  });

  test("what is no release is refused, however it is made", async () => {
    const bad = [
      new Uint8Array(),
      utf8Bytes("PK"),
      utf8Bytes("nothing".repeat(100)),
      zipRelease({ manifest: utf8Bytes("{}"), approvals: utf8Bytes("{}"), content: new Map() }),
      zipRelease({ manifest: utf8Bytes("[1"), approvals: utf8Bytes("{}"), content: new Map() }),
    ];
    for (const bytes of bad) await expect(verifyRelease(bytes)).rejects.toMatchObject({ name: "ReleaseError" });
    for (const name of ["../x", "A", "", "a/b", ".x"]) {
      const twisted = { ...manifest, files: [{ ...fileOf(name, letter), kind: "letter" as const }] };
      expect(() => decodeManifest(encodeManifest(twisted))).toThrow(/name or the hash/u);
    }
    const [twice] = manifest.files;
    if (twice !== undefined) expect(() => decodeManifest(encodeManifest({ ...manifest, files: [twice, twice] }))).toThrow(/one name/u);
  });
});
