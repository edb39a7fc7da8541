import { decode, encode } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { learnConfig, nobleSignatures, openHead } from "../index.ts";
import type { DirectoryView } from "../index.ts";
import { createMemoryDirectory, createPerson } from "./memory-directory.testing.ts";
import type { MemoryDirectory } from "./memory-directory.testing.ts";
import { directoryConfigCodec, logEntryCodec } from "./structures.ts";
import type { LogEntry } from "./structures.ts";

async function open(directory: MemoryDirectory, view: DirectoryView | undefined, nowMs: number): Promise<DirectoryView> {
  const { host, config } = directory;
  const consistency = view === undefined ? [] : await directory.consistency(view.size);
  const head = await directory.head({ cosignedMs: nowMs });
  const opened = await openHead({
    host,
    view,
    config: view === undefined ? config : undefined,
    nowMs,
    signatures: nobleSignatures,
    head,
    consistency,
  });
  return opened.view;
}

/** A log with somebody in it, and the view of who saw it. Its operator signs, and its witness cosigns, whatever comes next. */
async function seenLog(): Promise<{ directory: MemoryDirectory; view: DirectoryView; nowMs: number; newest: LogEntry }> {
  const directory = await createMemoryDirectory({ witnesses: 1, threshold: 1 });
  await directory.publish((await createPerson("alice")).changes);
  const nowMs = directory.nowMs() + 60_000;
  const view = await open(directory, undefined, nowMs);
  const bytes = directory.entries().at(-1);
  if (bytes === undefined) throw new Error("an entry");
  return { directory, view, nowMs, newest: decode(logEntryCodec, bytes) };
}

describe("a head that continues the view, is signed and cosigned, and goes back all the same", () => {
  const cases: [string, (entry: LogEntry) => Partial<LogEntry>, string][] = [
    ["to an earlier time", ({ timestampMs }) => ({ timestampMs }), "a newer head is not of a later time"],
    ["to fewer leaves", ({ leafCount }) => ({ leafCount: leafCount - 1 }), "a newer head has fewer leaves"],
    ["to a configuration that is still to come", () => ({ configIndex: 9 }), "an entry names a later configuration"],
  ];
  test.each(cases)("[D-3] %s", async (_title, change, message) => {
    const { directory, view, nowMs, newest } = await seenLog();
    const next: LogEntry = { ...newest, timestampMs: newest.timestampMs + 1000 };
    await directory.publishRaw(encode(logEntryCodec, { ...next, ...change(newest) }));
    await expect(open(directory, view, nowMs)).rejects.toMatchObject({
      name: "TransparencyError",
      message: expect.stringContaining(message),
    });
  });

  test("[D-4] with lines that gossip would have no room for", async () => {
    const { directory, view, nowMs } = await seenLog();
    await directory.publish([]);
    directory.extensions.push("x");
    await expect(open(directory, view, nowMs)).rejects.toMatchObject({
      code: "malformed",
      message: expect.stringContaining("no extension lines"),
    });
  });

  test("[D-3] and one that goes on is taken", async () => {
    const { directory, view, nowMs, newest } = await seenLog();
    await directory.publishRaw(encode(logEntryCodec, { ...newest, timestampMs: newest.timestampMs + 1000 }));
    expect((await open(directory, view, nowMs)).size).toBe(view.size + 1);
  });

  test("[D-2] and a configuration with another VRF key, which would move every label, is not learned", async () => {
    const { directory, view, nowMs } = await seenLog();
    const changed = decode(directoryConfigCodec, directory.changedConfig({ threshold: 1 }));
    const config = encode(directoryConfigCodec, { ...changed, vrfPublicKey: new Uint8Array(32).fill(7) });
    const index = directory.size();
    await directory.publish([], { config });
    const entry = directory.entries()[index];
    if (entry === undefined) throw new Error("an entry");
    const newer = await open(directory, view, nowMs);
    const inclusion = await directory.inclusion(index);
    expect(() => learnConfig({ view: newer, index, entry, inclusion, sightMs: 0 })).toThrow(
      expect.objectContaining({ name: "TransparencyError", message: expect.stringContaining("changes the origin or the VRF key") }),
    );
  });

  test("[D-2] to a configuration before the one that is in effect", async () => {
    const { directory, view, nowMs, newest } = await seenLog();
    await directory.publishRaw(encode(logEntryCodec, { ...newest, timestampMs: newest.timestampMs + 1000 }));
    await expect(open(directory, { ...view, configIndex: 1 }, nowMs)).rejects.toMatchObject({
      message: expect.stringContaining("a newer head names an older configuration"),
    });
  });
});
