import { fromBase64Url, toBase64Url } from "@latchkey/client/bytes";
import type { ReleaseCheck, ReleaseProblem } from "@latchkey/releases";
import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError, invalidOption } from "../errors.ts";
import { printableLine } from "../output.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";
import { approvedBy } from "./notices.ts";

/** What each problem comes to, in words. */
const words: Readonly<Record<ReleaseProblem, string>> = {
  "file-altered": "a file is not the one that was approved",
  "file-missing": "a file that was approved is missing",
  "file-added": "a file is there that was not approved",
  "not-as-written": "the archive holds bytes besides its files",
  "approval-invalid": "an approval does not hold over these bytes",
  "same-person": "one person or one passkey approved twice",
  "too-few": "fewer people approved it than had to",
  "outside-missing": "nobody from outside approved it",
  "wait-missing": "one person approved it, and a day had not passed",
  "approval-late": "an approval is later than the release",
  "signature-invalid": "the operator's signature does not hold",
  "signature-missing": "the operator did not sign it",
  "other-key": "it is signed by another key than the one named",
  "other-host": "it is of another server than the one named",
};

/** `latchkey verify-release`. */
export const verifyReleaseCommand: Command = {
  name: "verify-release",
  usage: "verify-release FILE [--host HOST] [--key KEY]",
  summary: "verify what a server gave out upon a request, without any server",
  help: `  --host HOST  the server that it has to be of
  --key KEY    the desk's signature key, as the server's public record has it (base64url)

Every file is held against the hash that was approved, each approval against the passkey that signed it, and the whole against the
operator's signature. Nothing is asked anywhere. A file alone cannot say whose its keys are: without --key somebody else could have made
all of it. Exit status 0 only if everything holds.`,
  options: { host: { type: "string" }, key: { type: "string" } },
  positionals: [1, 1],
  async run({ output, positionals, values, environment }) {
    const [path = ""] = positionals;
    const host = stringOption(values, "host");
    const key = readKey(stringOption(values, "key"));
    const { maxReleaseBytes, ReleaseError, verifyRelease } = await import("@latchkey/releases");
    const file = await readWhole(resolve(environment.workingDirectory, path), maxReleaseBytes);
    try {
      const check = await verifyRelease(file, { ...(host === undefined ? {} : { host }), ...(key === undefined ? {} : { key }) });
      output.result(toJson(check), toText(check, key !== undefined));
      if (check.problems.length > 0) {
        throw new CommandError("release_invalid", check.problems.map((problem) => words[problem]).join("; "));
      }
    } catch (error) {
      if (error instanceof ReleaseError) throw new CommandError("no_release", error.message, { cause: error });
      throw error;
    }
  },
};

function readKey(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  try {
    const key = fromBase64Url(text);
    if (key.length === 32) return key;
  } catch {
    // Is none, either.
  }
  throw invalidOption("--key takes a key of 32 bytes in base64url");
}

async function readWhole(path: string, most: number): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > most) throw new CommandError("no_release", "the file is too large for a release");
  return new Uint8Array(await (await openAsBlob(path)).arrayBuffer());
}

function toJson({ manifest, approvals, areValid, files, ...check }: ReleaseCheck): object {
  const { releaseId, host, request, asked, preparedBy, preparedAt, notHeld } = manifest;
  return {
    holds: check.problems.length === 0,
    problems: check.problems,
    host,
    releaseId,
    digest: check.digest,
    request,
    asked,
    preparedBy,
    preparedAt,
    files: files.map(({ name, state }) => ({ ...manifest.files.find((one) => one.name === name), name, state })),
    notHeld,
    rule: approvals.rule,
    releasedAtMs: approvals.releasedAtMs,
    approvals: approvals.approvals.map(({ who, role, atMs, publicKey }, at) => ({ who, role, atMs, publicKey, holds: areValid[at] })),
    ...(check.signedBy === undefined ? {} : { signedBy: check.signedBy }),
  };
}

function copyWords({ isPreserved, keptFor, notKept = [] }: ReleaseCheck["manifest"]["files"][number]): string {
  if (isPreserved !== true) return "";
  const left = notKept.length === 0 ? "" : `, without what that did not ask for: ${notKept.join(", ")}`;
  return keptFor === undefined ? " (a preserved copy)" : ` (a copy preserved for request ${String(keptFor)}${left})`;
}

function toText(check: ReleaseCheck, isKeyKnown: boolean): string {
  const { manifest, approvals, areValid, files, problems, signedBy } = check;
  const { request, asked } = manifest;
  const period =
    asked.from === undefined && asked.until === undefined ? "" : `, ${asked.from ?? "the beginning"} to ${asked.until ?? "then"}`;
  const lines = [
    problems.length === 0 ? "Everything holds." : "This does not hold:",
    ...problems.map((problem) => `! ${words[problem]}`),
    "",
    `Given out by ${manifest.host} on ${time(approvals.releasedAtMs)}`,
    `Asked by ${request.authority} (${request.country}), ${request.reference}, on the basis of ${request.basis}`,
    `About ${asked.identifiers.join(", ")}: ${asked.categories.join(", ")}${period}`,
    "",
    ...files.map(({ name, state }) => {
      const known = manifest.files.find((one) => one.name === name);
      const about = known?.asOf === undefined ? "" : `, as of ${known.asOf}${copyWords(known)}`;
      return `${state === "as-approved" ? " " : "!"} ${name}: ${state === "as-approved" ? "as approved" : state}${about}`;
    }),
    ...manifest.notHeld.map((text) => `  Not held: ${text}`),
    "",
    `Approved by ${approvedBy[approvals.rule]}`,
    ...approvals.approvals.map(
      ({ who, role, atMs }, at) =>
        `${areValid[at] === true ? " " : "!"} ${who} (${role}), ${time(atMs)}: ${areValid[at] === true ? "holds" : "does not hold"}`,
    ),
    `What was approved: ${check.digest}`,
    signedBy === undefined
      ? "Not signed by the operator"
      : `Signed by ${toBase64Url(signedBy)}${isKeyKnown ? "" : ": compare it with the server's public record, or name it with --key"}`,
  ];
  return lines.map(printableLine).join("\n");
}

function time(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(at.getTime()) ? "no time" : at.toISOString();
}
