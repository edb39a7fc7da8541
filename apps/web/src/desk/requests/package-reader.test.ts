import { toBase64Url, toHex } from "@latchkey/client/bytes";
import { encodeManifest, maxReleaseFiles, releaseDigest } from "@latchkey/releases";
import { fileOf, testManifest } from "@latchkey/releases/testing";
import { expect, test, vi } from "vitest";
import { requestDetail } from "../../testing/request-fixtures.ts";
import type { AskDesk, DeskResult } from "../office/desk-api.ts";
import { sha256 } from "../sha256.ts";
import { approveRelease } from "./approve.ts";
import { readPackage, readPackageOfRequest, readPackageOutside } from "./package-reader.ts";

const utf8 = new TextEncoder();
const holdings = utf8.encode('{"username":"oscar"}');
const file = { ...fileOf("oscar.json", holdings), kind: "holdings", leftOut: ["sessions"] } as const;
const release = { ...testManifest, files: [file], notHeld: ["Content."] };
const manifest = encodeManifest(release);
const digest = await sha256(utf8.encode(`latchkey/release/1\0${new TextDecoder().decode(manifest)}`));

const came = (value: Uint8Array) => (): Promise<DeskResult<Uint8Array>> => Promise.resolve({ kind: "done", value });

test("what a passkey signs is made in this browser of what it shows (F-7)", async () => {
  expect(releaseDigest(manifest)).toEqual(digest);
  expect(await readPackage(manifest, came(holdings))).toMatchObject({
    kind: "seen",
    seen: { digest, isWhole: true, notHeld: ["Content."], files: [{ name: "oscar.json", isAsNamed: true, leftOut: ["sessions"] }] },
  });
});

test("a file of which the server gives another byte is not what was named, and the package is not whole", async () => {
  const read = await readPackage(manifest, came(utf8.encode('{"username":"oscat"}')));
  expect(read).toMatchObject({ kind: "seen", seen: { isWhole: false, files: [{ isAsNamed: false }] } });
});

test.each(["no_answer", "rate_limited", "not_found", "code_refused"] as const)(
  "of a package of which a file does not come (%s) nothing is said, and no file is called another",
  async (code) => {
    expect(await readPackage(manifest, () => Promise.resolve({ kind: "refused", code, waitMs: 0 }))).toEqual({ kind: "failed", code });
  },
);

test.each<[string, Uint8Array]>([
  ["no JSON", utf8.encode("<html>")],
  ["no UTF-8", Uint8Array.of(0xff)],
  ["another object", utf8.encode('{"files":[]}')],
  ["no list of files", utf8.encode(JSON.stringify({ format: "latchkey/release/1", ...release, files: {} }))],
  [
    "more files than there are",
    encodeManifest({ ...release, files: Array.from({ length: maxReleaseFiles + 1 }, (_, at) => ({ ...file, name: `f${at}` })) }),
  ],
  ["a text without end", encodeManifest({ ...release, notHeld: ["x".repeat(100_000)] })],
])("a manifest that is %s is no package, and nothing is fetched for it", async (_, bytes) => {
  const fetchFile = vi.fn(came(holdings));
  expect(await readPackage(bytes, fetchFile)).toEqual({ kind: "failed", code: "no_package" });
  expect(fetchFile).not.toHaveBeenCalled();
});

/** A desk that answers by name. */
function deskOf(answers: Readonly<Record<string, unknown>>): AskDesk {
  return ((name: string) =>
    Promise.resolve(
      name in answers ? { kind: "done", value: answers[name] } : { kind: "refused", code: "not_found", waitMs: 0 },
    )) as AskDesk;
}

test("nothing is signed where the server wants another challenge signed than that of what was shown (F-7)", async () => {
  const sign = vi.fn(() => Promise.resolve({ id: "a" }));
  const at = { number: 12, revision: 4 };
  const begun = (challenge: Uint8Array): AskDesk =>
    deskOf({
      "request-approve-begin": { options: { challenge: toBase64Url(challenge) }, packageHash: toHex(digest) },
      "request-approve-finish": { request: requestDetail() },
    });
  expect(await approveRelease(begun(digest.map((byte) => byte ^ 1)), at, digest, sign)).toEqual({ kind: "refused", code: "other_package" });
  expect(sign).not.toHaveBeenCalled();
  expect(await approveRelease(begun(digest), at, digest, sign)).toMatchObject({ kind: "done" });
  expect(await approveRelease(begun(digest), at, digest, () => Promise.resolve(undefined))).toEqual({ kind: "refused", code: "given_up" });
});

test("files come as base64url, to whoever works at the desk and to somebody outside; what is none is no answer", async () => {
  const asked: unknown[] = [];
  const desk = (bytes: (name: string) => string): AskDesk =>
    ((operation: string, input: { readonly name: string }) => {
      asked.push([operation, input]);
      return Promise.resolve({ kind: "done", value: { bytes: bytes(input.name) } });
    }) as AskDesk;
  const whole = desk((name) => toBase64Url(name === "manifest.json" ? manifest : holdings));
  expect(await readPackageOfRequest(whole, 12)).toMatchObject({ kind: "seen", seen: { isWhole: true } });
  const opened = { key: "k", manifest: new TextDecoder().decode(manifest) };
  expect(await readPackageOutside(whole, opened)).toMatchObject({ kind: "seen", seen: { digest, isWhole: true } });
  expect(asked).toEqual([
    ["request-package-file", { number: 12, name: "manifest.json" }],
    ["request-package-file", { number: 12, name: "oscar.json" }],
    ["outside-file", { key: "k", name: "oscar.json" }],
  ]);
  const broken = desk(() => "<html>");
  expect(await readPackageOfRequest(broken, 12)).toEqual({ kind: "failed", code: "no_answer" });
  expect(await readPackageOutside(broken, opened)).toEqual({ kind: "failed", code: "no_answer" });
  expect(await readPackageOfRequest(deskOf({}), 12)).toEqual({ kind: "failed", code: "not_found" });
});
