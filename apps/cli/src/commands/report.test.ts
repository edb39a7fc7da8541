import type { EnclosedFile, ReportLine } from "@latchkey/client";
import { expect, test } from "vitest";
import { filesOf } from "./report.ts";

function file(fileId: string, fits: boolean): EnclosedFile {
  return { fileId, kind: "file", name: `${fileId}.bin`, mediaType: "application/octet-stream", sizeBytes: 1000, fits };
}

function line(messageId: string, files: readonly EnclosedFile[]): ReportLine {
  const author = { address: "mallory", displayName: "Mallory" } as ReportLine["author"];
  return { messageId, role: "reported", author, text: "", gapBefore: 0, carries: [], files, claims: [] };
}

test("of the files of a message those go along with a report that are not too large, and what has none of them is refused before it", async () => {
  const lines = [line("a", [file("small", true), file("large", false)]), line("b", [file("film", false)]), line("c", [])];
  const chosen = async (...ids: readonly string[]) => await filesOf(ids, () => Promise.resolve(lines));
  expect(await chosen("a")).toEqual([{ messageId: "a", fileId: "small" }]);
  await expect(chosen("a", "b")).rejects.toThrow("b has only files that are too large to go along");
  await expect(chosen("c")).rejects.toThrow("c has no files that could go along");
});
