import { expect, test, vi } from "vitest";
import { requestDetail } from "../../testing/request-fixtures.ts";
import type { AskDesk } from "../office/desk-api.ts";
import { approveRelease } from "./approve.ts";
import { base64UrlOf, bytesOfBase64Url, hexOf, sha256 } from "./bytes.ts";
import { uploadFile } from "./file-upload.ts";
import { filesOfRequest, readPackage } from "./package-reader.ts";

const utf8 = new TextEncoder();
const holdings = utf8.encode('{"username":"oscar"}');
const manifest = utf8.encode(
  JSON.stringify({
    format: "latchkey/release/1",
    files: [{ name: "oscar.json", kind: "holdings", sha256: hexOf(await sha256(holdings)), leftOut: ["sessions"] }],
    notHeld: ["Content."],
  }),
);
const digest = await sha256(utf8.encode(`latchkey/release/1\0${new TextDecoder().decode(manifest)}`));

test("what a passkey signs is made in this browser of what it shows (F-7)", async () => {
  const seen = await readPackage(manifest, () => Promise.resolve(holdings));
  expect(hexOf(seen.digest)).toBe(hexOf(digest));
  expect(seen).toMatchObject({
    isWhole: true,
    notHeld: ["Content."],
    files: [{ name: "oscar.json", isAsNamed: true, leftOut: ["sessions"] }],
  });
});

test.each([
  ["another byte", utf8.encode('{"username":"oscat"}')],
  ["nothing", undefined],
])("a file of which the server gives %s is not what was named, and the package is not whole", async (_, bytes) => {
  const seen = await readPackage(manifest, () => Promise.resolve(bytes));
  expect(seen.isWhole).toBe(false);
  expect(seen.files.map(({ isAsNamed }) => isAsNamed)).toEqual([false]);
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
      "request-approve-begin": { options: { challenge: base64UrlOf(challenge) }, packageHash: hexOf(digest) },
      "request-approve-finish": { request: requestDetail() },
    });
  expect(await approveRelease(begun(digest.map((byte) => byte ^ 1)), at, digest, sign)).toEqual({ kind: "refused", code: "other_package" });
  expect(sign).not.toHaveBeenCalled();
  expect(await approveRelease(begun(digest), at, digest, sign)).toMatchObject({ kind: "done" });
  expect(await approveRelease(begun(digest), at, digest, () => Promise.resolve(undefined))).toEqual({ kind: "refused", code: "given_up" });
});

test("files of a package come as base64url, and one that does not come is none", async () => {
  expect(bytesOfBase64Url(base64UrlOf(digest))).toEqual(digest);
  expect(await filesOfRequest(deskOf({ "request-package-file": { bytes: base64UrlOf(holdings) } }), 12)("oscar.json")).toEqual(holdings);
  expect(await filesOfRequest(deskOf({}), 12)("oscar.json")).toBeUndefined();
});

test("a file goes in parts from where it belongs, again where one is lost, and ends where somebody stops it", async () => {
  const bytes = new Blob([new Uint8Array(2_500_000)]);
  const taken: number[] = [];
  const progress: number[] = [];
  let lost = 1;
  const around = (signal: AbortSignal) => ({
    signal,
    pause: () => Promise.resolve(),
    progress: (hereBytes: number) => progress.push(hereBytes),
    put: (path: string, part: Blob, { fromByte }: { fromByte: number }) => {
      if (fromByte > 0 && lost > 0) {
        lost -= 1;
        return Promise.resolve(false);
      }
      taken.push(fromByte, part.size);
      expect(path).toBe("/desk/api/request-files/12/3");
      return Promise.resolve(true);
    },
  });
  expect(await uploadFile({ number: 12, file: 3, bytes }, around(new AbortController().signal))).toBe("done");
  expect(taken).toEqual([0, 1_048_576, 1_048_576, 1_048_576, 2_097_152, 402_848]);
  expect(progress).toEqual([0, 1_048_576, 2_097_152, 2_500_000]);
  lost = 9;
  expect(await uploadFile({ number: 12, file: 3, bytes }, around(new AbortController().signal))).toBe("failed");
  expect(await uploadFile({ number: 12, file: 3, bytes }, around(AbortSignal.abort()))).toBe("stopped");
});
