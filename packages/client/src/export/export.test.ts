import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttachedFile, Conversation, Message, Person } from "../api.ts";
import { nothingSetFor } from "../api/own.ts";
import { ClientError } from "../errors.ts";
import { exportArchive } from "./export.ts";
import type { ExportCounts, ExportProgress, ExportSource, ExportWords } from "./export.ts";

const hasPython = spawnSync("python3", ["--version"]).status === 0;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-export-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const words: ExportWords = {
  language: "en",
  direction: "ltr",
  heading: "Messages of Ann",
  intro: () => "Keep it well.",
  day: (timeMs) => new Date(timeMs).toISOString().slice(0, 10),
  time: (timeMs) => new Date(timeMs).toISOString().slice(11, 16),
  person: (person) => person?.displayName ?? "somebody",
  line: ({ body }) => `* ${body.kind}`,
  seenOnce: "A picture to be seen once is not here.",
  edited: "edited",
  missing: (why) => `missing: ${why}`,
  notIncluded: ({ seenOnce, missingFiles }) => [`${String(seenOnce)} once`, `${String(missingFiles)} files`],
};

function person(username: string, isSelf: boolean, displayName = username): Person {
  return { accountId: username, username, host: "h", address: username, displayName, isSelf, besideName: undefined, isNameLookedUp: true };
}
const [ann, ben] = [person("ann", true), person("ben", false)];

function conversation(id: string, title: string): Conversation {
  return {
    id,
    kind: "group",
    title,
    peer: undefined,
    memberCount: 2,
    lastMessage: undefined,
    updatedAtMs: 0,
    unreadCount: 0,
    readThrough: 0,
    timerS: 0,
    draft: "",
    status: "active",
    stop: undefined,
    offers: [],
    continuedIn: undefined,
    invitations: [],
    receipts: [],
    isBlocked: false,
    own: nothingSetFor,
    host: "h",
  };
}

function message(order: number, over: Partial<Message> = {}): Message {
  const author = over.author ?? ben;
  return {
    id: `m${String(order)}`,
    conversationId: "c1",
    order,
    author,
    body: { kind: "text", text: `text ${String(order)}` },
    sentAtMs: Date.UTC(2026, 10, 30, 6, order % 60),
    delivery: author.isSelf ? { kind: "accepted", atMs: 0 } : undefined,
    ...over,
  };
}

function file(id: string, name: string): AttachedFile {
  return { id, kind: "file", name, mediaType: "application/octet-stream", sizeBytes: 3, description: "" };
}

function sourceOf(messages: readonly Message[], over: Partial<ExportSource> = {}, title = "Picnic"): ExportSource {
  return {
    account: () => Promise.resolve({ ...ann, deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: false, isRecovered: false }),
    conversations: () => Promise.resolve([conversation("c1", title), conversation("c2", "Other")]),
    messages: (id, { afterOrder = -1, limit }) =>
      Promise.resolve(messages.filter((one) => one.conversationId === id && one.order > afterOrder).slice(0, limit)),
    fetchFile: () => Promise.resolve(),
    async *readFile(_conversationId, _message, { id }) {
      yield await Promise.resolve(utf8Bytes(`bytes of ${id}`));
    },
    ...over,
  };
}

interface Exported {
  readonly counts: ExportCounts;
  readonly files: ReadonlyMap<string, string>;
}

const reading = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({e.filename: archive.read(e).decode("utf-8") for e in archive.infolist()}))
`;

async function exported(source: ExportSource, over: Partial<Parameters<typeof exportArchive>[1]> = {}): Promise<Exported> {
  const parts: Uint8Array[] = [];
  const archive = exportArchive(source, { nowMs: Date.UTC(2026, 10, 30), words, ...over });
  for (;;) {
    const next = await archive.next();
    if (next.done === true) {
      const path = join(folder, "export.zip");
      writeFileSync(path, Buffer.concat(parts));
      const { stdout } = spawnSync("python3", ["-c", reading, path], { encoding: "utf8", maxBuffer: 1 << 27 });
      // The script above wrote it.
      return { counts: next.value, files: new Map(Object.entries(JSON.parse(stdout) as Record<string, string>)) };
    }
    parts.push(next.value);
  }
}

const linesOf = ({ files }: Exported): Record<string, unknown>[] =>
  (files.get("messages.jsonl") ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.skipIf(!hasPython)("exportArchive", () => {
  test("[Y-1] one ZIP has every message for programs and for people, with its files, of one conversation or of all", async () => {
    const messages = [
      ...Array.from({ length: 450 }, (_, at) => message(at + 1)),
      message(451, { files: [file("f1", "a b.jpg"), file("f2", "page.html")], author: ann }),
      message(452, { files: [file("f1", "a b.jpg")] }),
      { ...message(1, { body: { kind: "renamed", name: "New" } }), id: "o1", conversationId: "c2" },
    ];
    const progress: ExportProgress[] = [];
    const all = await exported(sourceOf(messages), { came: (one) => progress.push(one) });
    expect(all.counts).toEqual({
      conversations: 2,
      messages: 453,
      files: 2,
      seenOnce: 0,
      timed: 0,
      unsent: 0,
      unreadable: 0,
      expired: 0,
      missingFiles: 0,
    });
    expect([...all.files.keys()]).toEqual(["files/00001-a b.jpg", "files/00002-page.html", "messages.jsonl", "index.html", "export.json"]);
    expect(all.files.get("files/00002-page.html")).toBe("bytes of f2");
    const lines = linesOf(all);
    expect(lines.map(({ id }) => id)).toEqual([...Array.from({ length: 452 }, (_, at) => `m${String(at + 1)}`), "o1"]);
    expect(lines[451]).toMatchObject({ files: [{ id: "f1", name: "a b.jpg", path: "files/00001-a b.jpg" }] });
    const page = all.files.get("index.html") ?? "";
    expect(page).toContain('<img src="files/00001-a%20b.jpg" alt="a b.jpg" loading="lazy">');
    expect(page).toContain("* renamed");
    // What a browser would run is named, and no link leads to it.
    expect(page).toContain("files/00002-page.html");
    expect(page).not.toMatch(/href="[^"]*html/);
    expect(JSON.parse(all.files.get("export.json") ?? "")).toMatchObject({
      format: 1,
      account: { username: "ann" },
      messages: 453,
      missing: [],
    });
    expect(progress.at(-1)).toMatchObject({ step: "page", files: 2 });
    const one = await exported(sourceOf(messages), { conversationId: "c2", withoutFiles: true });
    expect([one.counts.messages, one.counts.conversations, linesOf(one).length]).toEqual([1, 1, 1]);
    await expect(exported(sourceOf(messages), { conversationId: "c3" })).rejects.toMatchObject({ code: "unknown_conversation" });
    const without = await exported(sourceOf(messages), { conversationId: "c1", withoutFiles: true });
    expect(linesOf(without)[450]).toMatchObject({ files: [{ missing: "left_out" }, { missing: "left_out" }] });
  });

  test("[Y-2] what is to be seen once, or was not said yet, is in none of its parts", async () => {
    const secret = { ...file("f9", "secret.jpg"), description: "secret", thumbhash: new Uint8Array([115, 101, 99]) };
    const messages = [
      message(1, { isOnce: true, files: [secret], body: { kind: "text", text: "secret words" } }),
      message(2, { quote: { messageId: "m1", author: ben, text: "secret words", isDeleted: false } }),
      message(3, { author: ann, body: { kind: "text", text: "waiting" }, delivery: { kind: "pending" } }),
      message(4, {
        author: ann,
        body: { kind: "text", text: "failed" },
        delivery: { kind: "failed", failure: { code: "offline", message: "", canRetry: true } },
      }),
    ];
    const opened: string[] = [];
    const { counts, files } = await exported(
      sourceOf(messages, { fetchFile: (_id, messageId) => Promise.resolve(void opened.push(messageId)) }),
    );
    expect(opened).toEqual([]);
    expect(counts).toMatchObject({ messages: 2, seenOnce: 1, unsent: 2, files: 0 });
    expect([...files.values()].join("\n")).not.toMatch(/secret|waiting|"failed"|>failed/);
    expect(files.get("index.html")).toContain(words.seenOnce);
  });

  test("[Y-2] [X-7] what goes after a time is in none of its parts, its files and what an answer quotes of it neither", async () => {
    const messages = [
      message(1, {
        timer: { seconds: 3600, goesAtMs: 10 ** 13, isRunning: false },
        files: [file("f9", "secret.jpg")],
        body: { kind: "text", text: "secret words" },
      }),
      message(2, { quote: { messageId: "m1", author: ben, text: "secret words", isDeleted: false } }),
    ];
    const opened: string[] = [];
    const { counts, files } = await exported(
      sourceOf(messages, { fetchFile: (_id, messageId) => Promise.resolve(void opened.push(messageId)) }),
    );
    expect(opened).toEqual([]);
    expect(counts).toMatchObject({ messages: 1, timed: 1, files: 0 });
    expect([...files.values()].join("\n")).not.toContain("secret");
  });

  test("[Y-2] what could not be had is counted and named with its reason, and ends nothing", async () => {
    const messages = [
      message(1, { files: [file("gone", "g"), file("lied", "l"), file("half", "h.jpg"), file("good", "ok")] }),
      message(2, { body: { kind: "unreadable", reason: "x" } }),
      message(3, { body: { kind: "expired", count: 7 } }),
    ];
    const failures: Record<string, ClientError> = {
      gone: new ClientError("file_gone", ""),
      lied: new ClientError("server_lied", ""),
    };
    const source = sourceOf(messages, {
      fetchFile: (_conversationId, _messageId, fileId) => {
        const failure = failures[fileId];
        return failure === undefined ? Promise.resolve() : Promise.reject(failure);
      },
      async *readFile(_conversationId, _message, { id }) {
        yield await Promise.resolve(utf8Bytes("whole"));
        if (id === "half") throw new ClientError("storage_denied", "");
      },
    });
    const all = await exported(source);
    expect(all.counts).toMatchObject({ messages: 3, files: 1, missingFiles: 3, unreadable: 1, expired: 7 });
    expect(linesOf(all)[0]).toMatchObject({
      files: [{ missing: "gone" }, { missing: "broken" }, { missing: "failed" }, { path: "files/00004-ok" }],
    });
    expect(JSON.parse(all.files.get("export.json") ?? "")).toMatchObject({
      missing: [
        { messageId: "m1", name: "g", why: "gone" },
        { messageId: "m1", name: "l", why: "broken" },
        { messageId: "m1", name: "h.jpg", why: "failed" },
      ],
    });
    expect(all.files.get("index.html")).toContain("missing: broken");
  });

  test("[Y-3] [E-290] the page runs nothing and fetches nothing, whatever people wrote", async () => {
    const hostile = `<script>alert(1)</script><img src=x onerror=alert(1)>"'><svg onload=alert(1)>&lt;b&gt;\u0000\u001b[2J</title></style></p>`;
    const bad = person("ben", false, hostile);
    const messages = [
      message(1, {
        author: bad,
        body: { kind: "text", text: hostile },
        quote: { messageId: "x", author: bad, text: hostile, isDeleted: false },
      }),
      message(2, {
        author: bad,
        body: {
          kind: "poll",
          question: hostile,
          options: [{ text: hostile, count: 1, people: [], isChosen: false }],
          maxSelections: 1,
          endsAtMs: undefined,
          isClosed: false,
        },
      }),
      message(3, {
        files: [
          { ...file("a", `../../${hostile}.jpg`), description: hostile, transcript: hostile },
          { ...file("b", `"onload=alert(1) .svg`), description: hostile },
          file("c", "..\\..\\con.txt"),
        ],
        reactions: [{ emoji: hostile, count: 1, people: [], isOwn: false }],
      }),
      message(4, { body: { kind: "renamed", name: hostile }, sentAtMs: Number.NaN }),
    ];
    const { files } = await exported(sourceOf(messages, {}, hostile), {
      words: { ...words, day: () => "day", time: () => "time", line: () => hostile, heading: hostile, notIncluded: () => [hostile] },
    });
    const page = files.get("index.html") ?? "";
    const tags = new Set([...page.matchAll(/<\/?([a-z0-9]+)/g)].map(([, name]) => name));
    expect([...tags].filter((name) => ["script", "svg", "iframe", "object", "form", "base", "link"].includes(name ?? ""))).toEqual([]);
    expect(page.match(/<(?:title|style)>/g)).toEqual(["<title>", "<style>"]);
    expect(page.replaceAll(/="[^"<>]*"/g, "=")).not.toMatch(/<[a-z]+[^<>]*[\s"'/]on\w+=/);
    // oxlint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\0-\x08\x0b-\x1f]/);
    for (const path of files.keys()) expect(path).toMatch(/^(?:files\/\d{5}-[^/\\<>:"|?*]+|messages\.jsonl|index\.html|export\.json)$/);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self' file:; media-src 'self' file:; base-uri 'none'/);
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? "";
    expect(policy).toContain(`'sha256-${Buffer.from(sha256(utf8Bytes(style))).toString("base64")}'`);
    for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^(?:#c\d+|files\/\d{5}-[^"<>:]*)$/);
  });
});
