import { toBase64Url } from "@latchkey/codec";
import { createTextContent, paddedFileBytes, sealedFileBytes, splitEntry } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

async function talking(seed: string): Promise<{ readonly world: SimWorld; readonly ada: SimDevice; readonly ben: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("two devices");
  await ada.found([ben]);
  await world.settle();
  return { world, ada, ben };
}

/** Writes a text, with files where there are some; its id. */
async function write(device: SimDevice, text: string, files: readonly FilePart[] = []): Promise<string> {
  const { random, nowMs } = device.context;
  const id = toBase64Url(Uint8Array.of(1, ...random(31)));
  const content = createTextContent({ text, files, salt: random(16), sentAtMs: nowMs });
  await device.input({ kind: "compose", id, purpose: "text", text, content, uploads: files.map(({ blobId }) => toBase64Url(blobId)) });
  return id;
}

function file({ context: { random } }: SimDevice, sizeBytes = 1000): FilePart {
  const secret = { blobId: random(32), key: random(32), prefix: random(7), hash: random(32) };
  return { kind: "file", host: "chat.example", ...secret, sizeBytes, name: "a.txt", mediaType: "text/plain", description: "" };
}

describe("[X-23] a message with files", () => {
  it("is sealed once all of them are at the host, names them there, and what was said after it comes after it", async () => {
    const { world, ada, ben } = await talking("uploads");
    const [first, second] = [file(ada), file(ada, 5_000_000)];
    const id = await write(ada, "two files", [first, second]);
    await write(ada, "after them");
    await world.settle();
    expect([ada.state?.outgoing.map(({ sealed }) => sealed), [...ben.texts().values()]]).toEqual([[undefined, undefined], []]);
    await ada.input({ kind: "uploaded", blobId: toBase64Url(second.blobId) });
    await world.settle();
    expect(ben.texts().size).toBe(0);
    await ada.disconnect(0);
    await ada.input({ kind: "uploaded", blobId: toBase64Url(first.blobId) });
    await ada.connect();
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["two files", "after them"]);
    expect(ben.said.find((said) => toBase64Url(said.id) === id || said.body.kind === "text")?.body).toEqual({
      kind: "text",
      text: "two files",
      files: [first, second],
    });
    const named = world.log.entries.flatMap(({ blob }) => splitEntry(blob)?.blobs ?? []);
    const nameOf = ({ blobId, hash, sizeBytes }: FilePart) => ({ blobId, hash, sizeBytes: sealedFileBytes(paddedFileBytes(sizeBytes)) });
    expect(named).toEqual([nameOf(first), nameOf(second)]);
  });

  it("waits on over a restart, for those that are missing", async () => {
    const { world, ada, ben } = await talking("uploads-restart");
    const [first, second] = [file(ada), file(ada)];
    await write(ada, "kept", [first, second]);
    await ada.input({ kind: "uploaded", blobId: toBase64Url(first.blobId) });
    await ada.restart(0);
    expect(ada.state?.outgoing.map(({ uploads }) => uploads)).toEqual([[toBase64Url(second.blobId)]]);
    await world.settle();
    expect(ben.texts().size).toBe(0);
    await ada.input({ kind: "uploaded", blobId: toBase64Url(second.blobId) });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["kept"]);
  });

  it("that cannot be brought there waits for its author and holds up nothing; tried again it goes out, let go of it never does", async () => {
    const { world, ada, ben } = await talking("uploads-failed");
    const [kept, dropped] = [file(ada), file(ada)];
    const id = await write(ada, "again", [kept]);
    const gone = await write(ada, "never", [dropped]);
    await write(ada, "meanwhile");
    for (const messageId of [id, gone, "unknown"]) await ada.input({ kind: "upload_failed", messageId, code: "message_too_large" });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["meanwhile"]);
    await ada.restart(0);
    await world.settle();
    expect(ada.state?.outgoing.map(({ failure }) => failure)).toEqual(["message_too_large", "message_too_large"]);
    await ada.input({ kind: "discard", id: gone });
    await ada.input({ kind: "retry", id });
    await world.settle();
    expect(ben.texts().size).toBe(1);
    await ada.input({ kind: "uploaded", blobId: toBase64Url(kept.blobId) });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["meanwhile", "again"]);
  });

  it("holds up nobody who leaves", async () => {
    const { world, ada } = await talking("uploads-leave");
    await write(ada, "never there", [file(ada)]);
    await ada.input({ kind: "leave", id: "leave" });
    await world.settle();
    expect(ada.state?.phase.kind).toBe("left");
  });
});
