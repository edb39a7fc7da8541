import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../errors.ts";
import { printableLine } from "../output.ts";
import { list, number } from "./admin-text.ts";

type Answer = Readonly<Record<string, unknown>>;

/** Writes what the desk exports of a year into a folder, a file for each request and each part. Answers which, and what is held back. @throws CommandError */
export function writeExport(folder: string, answer: Answer): Answer {
  const files = new Map<string, string>();
  list(answer, "requests").forEach((request, at) =>
    files.set(`statements-${String(at + 1)}.json`, `${JSON.stringify(request, undefined, 2)}\n`),
  );
  const parts = answer["parts"];
  if (typeof parts === "object" && parts !== null)
    for (const [part, text] of Object.entries(parts))
      // Names are the server's own; nothing is written beside the folder.
      if (/^[\w.-]{1,60}$/u.test(part) && typeof text === "string") files.set(`${part}.csv`, text);
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    // Of an earlier export with more of them.
    for (const name of readdirSync(folder)) if (/^statements-\d+\.json$/u.test(name) && !files.has(name)) rmSync(join(folder, name));
  } catch (cause) {
    throw new CommandError("not_written", `The files cannot be written into ${folder}.`, { cause });
  }
  return { folder, files: [...files.keys()], heldBack: list(answer, "heldBack"), tooLate: number(answer, "tooLate") };
}

/** What `admin desk export` says. */
export function exportText(answer: Answer): string {
  const held = list(answer, "heldBack").map((one) => {
    // A list of objects, as the server makes it.
    const { puid, because } = one as { readonly puid: string; readonly because: readonly string[] };
    return `held back ${printableLine(puid)}: ${because.map(printableLine).join("; ")}`;
  });
  const tooLate = number(answer, "tooLate");
  return [
    ...list(answer, "files").map((name) => `wrote ${String(name)}`),
    ...held,
    ...(tooLate === 0 ? [] : [`${String(tooLate)} decisions are of cases that are erased: no statement can be made of them any more`]),
  ].join("\n");
}
