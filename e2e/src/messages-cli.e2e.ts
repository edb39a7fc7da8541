import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ann: CommandLinePeer;
let ben: CommandLinePeer;
let id = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ann = commandLinePeer({ home: folder.at("ann"), server: server.url });
  ben = commandLinePeer({ home: folder.at("ben"), server: server.url });
  await ann.run("register", "ann");
  await ben.run("register", "ben");
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Shown {
  readonly id: string;
  readonly body: { readonly kind: string; readonly text?: string; readonly options?: readonly { readonly count: number }[] };
  readonly quote?: { readonly messageId?: string; readonly text: string };
  readonly edited?: { readonly count: number };
  readonly reactions?: readonly { readonly emoji: string; readonly isOwn: boolean }[];
}

describe("messages from the command line", () => {
  test("[X-2] a reply shows what the reader's own device has of the message, which has one id on both", async () => {
    const [sent] = await ann.run<Shown>("send", "ben", "lunch at noon?");
    id = sent?.id ?? "";
    const read = await ben.run<Shown>("read", "--accept-requests");
    expect(read.at(-1)).toMatchObject({ id, body: { text: "lunch at noon?" } });
    const [reply] = await ben.run<Shown>("reply", id, "make it one");
    expect(reply?.quote).toMatchObject({ messageId: id, text: "lunch at noon?" });
  });

  test("[X-3] [X-6] an edit and a reaction reach the other side, and are told in the message", async () => {
    await ben.run("react", id, "👍");
    const [edited] = await ann.run<Shown>("edit", id, "lunch at one?");
    expect(edited).toMatchObject({ body: { text: "lunch at one?" }, edited: { count: 1 }, reactions: [{ emoji: "👍", isOwn: false }] });
    const [info] = await ben.run<{ versions: readonly { text: string }[] }>("info", id);
    expect(info?.versions.map(({ text }) => text)).toEqual(["lunch at noon?", "lunch at one?"]);
    await ben.run("react", id, "👍", "--remove");
    expect((await ben.run<Shown>("read")).find((one) => one.id === id)?.reactions).toBeUndefined();
  });

  test("[X-3] the caption of a file is taken away by an edit to nothing, and a text alone is not", async () => {
    const file = folder.at("plan.txt");
    writeFileSync(file, "north, then east");
    const [sent] = await ann.run<Shown>("send", "ben", "--file", file, "--caption", "the way to the treasure");
    const captioned = sent?.id ?? "";
    const [edited] = await ann.run<Shown>("edit", captioned, "");
    expect(edited).toMatchObject({ body: { kind: "text", text: "" }, edited: { count: 1 }, files: [{ name: "plan.txt" }] });
    const read = await ben.run<Shown>("read");
    expect(read.find((one) => one.id === captioned)).toMatchObject({ body: { text: "" }, files: [{ name: "plan.txt" }] });
    expect(await ben.run("search", "treasure")).toEqual([]);
    expect(await ben.run("search", "plan")).toHaveLength(1);
    expect((await ben.run<{ versions: readonly { text: string }[] }>("info", captioned))[0]?.versions.map(({ text }) => text)).toEqual([
      "the way to the treasure",
      "",
    ]);
    await ann.run("edit", captioned, "the way home");
    expect(await ben.run("search", "home")).toHaveLength(1);
    const { status, stderr } = await ann.attempt("edit", id, "");
    expect([status, stderr]).toEqual([1, expect.stringContaining("Only a message with files can do without words.")]);
  });

  test("[X-1] nobody edits or deletes what the other wrote", async () => {
    for (const command of [
      ["edit", id, "evil"],
      ["delete", id],
    ]) {
      const { status, stderr } = await ben.attempt(...command);
      expect([status, stderr]).toEqual([1, expect.stringContaining("not_permitted")]);
    }
  });

  test("[X-11] a poll is asked, answered and ended", async () => {
    const [poll] = await ann.run<Shown>("poll", "ben", "Where?", "Here", "There");
    const pollId = poll?.id ?? "";
    const [voted] = await ben.run<Shown>("vote", pollId, "2");
    expect(voted?.body.options?.map(({ count }) => count)).toEqual([0, 1]);
    const [ended] = await ann.run<Shown>("vote", pollId, "--end");
    expect(ended).toMatchObject({ body: { isClosed: true } });
    expect((await ben.attempt("vote", pollId, "1")).status).toBe(1);
  });

  test("[X-4] deleted for everybody, nothing of it stays; for oneself, it is gone here alone", async () => {
    const [secret] = await ann.run<Shown>("send", "ben", "the code is 4711");
    await ben.run("read");
    await ann.run("delete", secret?.id ?? "");
    expect((await ben.run<Shown>("read")).find((one) => one.id === secret?.id)?.body.kind).toBe("deleted");
    await ann.run("delete", id, "--for-me");
    expect((await ann.run<Shown>("read")).some((one) => one.id === id)).toBe(false);
    expect((await ben.run<Shown>("read")).some((one) => one.id === id)).toBe(true);
  });

  test("[X-18] a note to oneself is written and starred, a conversation muted, archived and put on top", async () => {
    const [note] = await ann.run<Shown & { conversationId: string }>("send", "me", "buy milk");
    expect((await ann.run<Shown & { conversationId: string }>("send", "me", "and bread"))[0]?.conversationId).toBe(note?.conversationId);
    await ann.run("star", note?.id ?? "");
    expect((await ann.run<Shown>("starred", "me")).map(({ body }) => body.text)).toEqual(["buy milk"]);
    await ann.run("mute", "ben", "8h");
    await ann.run("archive", "ben");
    await ann.run("top", "me");
    await ann.run("draft", "ben", "not yet");
    const listed = await ann.run<{ title: string; draft: string; own: object }>("conversations");
    expect(listed.find(({ title }) => title === "ben")).toMatchObject({
      draft: "not yet",
      own: { isArchived: true },
    });
    expect(listed.find(({ title }) => title !== "ben")?.own).toMatchObject({ pinnedPlace: 0, isArchived: false });
    await ann.run("archive", "ben", "--remove");
    await ann.run("draft", "ben", "");
  });

  test("[X-9] [X-10] a text goes on without its origin, and is pinned for both", async () => {
    const [sent] = await ben.run<Shown>("send", "ann", "the shed is locked");
    const [note] = await ann.run<Shown & { forwardedHops?: number }>("forward", sent?.id ?? "", "ann");
    expect(note).toMatchObject({ body: { text: "the shed is locked" }, forwardedHops: 1 });
    expect(JSON.stringify(note)).not.toContain("ben");
    await ann.run("pin", sent?.id ?? "", "--days", "7");
    expect((await ben.run<Shown>("read")).some(({ body }) => body.kind === "pinned")).toBe(true);
  });
});
