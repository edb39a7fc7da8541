import { of } from "./mutation.js";

const files = "packages/client/src/files";
const timeline = "packages/client/src/timeline";
const downloads = [`${files}/downloads.test.ts`];
const sealing = [`${files}/sealing.test.ts`];

/** Changes of how files are encrypted, kept, brought to their hosts and from there, and forgotten. */
export const fileMutants = [
  ...of(`${files}/sealing.ts`, sealing, [
    ["more of a file than was said", "if (taken > sizeBytes) throw new FileSizeError();", ""],
    ["less of a file than was said", "if (taken !== sizeBytes) throw new FileSizeError();", ""],
    ["a last chunk that is like the others", "fileChunkAt(paddedBytes, index).isLast", "false"],
  ]),
  ...of(
    `${files}/reading.ts`,
    [`${files}/reading.test.ts`, ...sealing],
    [
      ["a chunk taken for the last one", "fileNonce(prefix, chunk.index, chunk.isLast)", "fileNonce(prefix, chunk.index, false)"],
      ["zeros behind a file for the file", "const end = Math.min(to, sizeBytes);", "const end = Math.min(to, paddedFileBytes(sizeBytes));"],
    ],
  ),
  ...of(`${files}/downloads.ts`, downloads, [
    [
      "the end of a file of another hash",
      'if (!equalBytes(running.digest(), file.hash)) throw new FileBroken("the file has another hash");',
      "",
    ],
    ["a file of another hash, kept", "if (equalBytes(running.digest(), wanted.file.hash)) break;", "break;"],
    ["what is damaged here for the server's doing", 'suspects.every(([, origin]) => origin === "host")', "true"],
    [
      "what comes after a file was given up",
      "if (ender.signal.aborted) return;",
      "",
      "what is kept then is verified each time that it is read",
    ],
    ["more pieces at a time than are asked for", "await this.#slots.run(async () => {", "await (async (run) => await run())(async () => {"],
  ]),
  ...of(`${files}/piece-request.ts`, downloads, [
    ["another part than was asked for", 'response.headers.get("content-range") !== `bytes ${from}-${to - 1}/${totalBytes}`', "false"],
    ["more bytes than were asked for", "if (index >= count) {", "if (false) {"],
    ["one answer that a file is not there (spec E-15)", "if (gone >= triesOfGone) throw fileGone();", "if (gone >= 1) throw fileGone();"],
    ["a refusal that may pass, for good", "if (attempt >= triesInRow)", "if (attempt >= 2)"],
  ]),
  ...of(
    `${files}/tus.ts`,
    [`${files}/tus.test.ts`],
    [
      ["a 404 of something in between", 'if (answer === "unknown") return undefined;', "return undefined;"],
      ["an upload that gets no further, without end", "if (next <= offset) throw", "if (false) throw"],
      ["more bytes than there are", "if (offset >= 0 && offset <= totalBytes) return offset;", "if (offset >= 0) return offset;"],
      ["an upload at an address that the server names", "namePattern.exec(", "/([^]+)$/.exec("],
    ],
  ),
  ...of(
    `${files}/stage.ts`,
    [`${files}/stage.test.ts`],
    [
      ["half a file that cannot be sent", "await store.remove(id).catch(() => undefined);", ""],
      ["a message before its file outlives a power cut", "await store.sync(id);", ""],
    ],
  ),
  ...of(
    `${timeline}/once.ts`,
    [`${timeline}/once.test.ts`, "packages/client/src/engine/chores.test.ts"],
    [
      ["the key of what was seen (spec X-8)", "key: new Uint8Array(32),", "key: body.files?.[0]?.key ?? new Uint8Array(32),"],
      [
        "what was to be seen within two weeks (spec X-8)",
        "const due = all.filter(({ sinceMs }) => sinceMs !== undated && nowMs - sinceMs >= openableMs);",
        "const due = all.slice(0, 0);",
      ],
      [
        "what was to be seen once by a clock that was wrong (spec E-142)",
        "if (sinceMs === undated || sinceMs > nowMs)",
        "if (sinceMs > nowMs)",
      ],
      ["many of them at once (spec E-314)", "of due.slice(0, closedAtOnce)", "of due"],
    ],
  ),
];
