// D34 | a file that comes is another one than was sent: the server swaps, cuts, lengthens, reorders or replaces it; a member lies about its size, its hash or its host | P
// Source: truncation and reordering of streams (Hoang, Reyhanitabar, Rogaway, Vizár 2015, "Online authenticated encryption and its nonce-reuse misuse-resistance"); tracking by addresses in messages (EFAIL, 2018)
// Counter-measure: every chunk is authenticated at its place before it is given out, the whole by the hash that its author signed, and nothing is asked for at another host (X-23, E-134)
import { randomBytes } from "node:crypto";
import type { AttachedFile, ClientFailure, Message } from "@latchkey/client";
import { fromBase64Url } from "@latchkey/codec";
import { blobPath, createTextContent } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, foundTrio, host, hurried, refusal, Scene, settle, withFile } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const chunk = 65_552;

/** What somebody is given of a file before it ends, or fails. */
async function given(person: Person, message: Message, file: AttachedFile): Promise<{ bytes: Buffer; whole: Promise<unknown> }> {
  const parts: Uint8Array[] = [];
  const whole = (async () => {
    for await (const part of person.client.readFile(message.conversationId, message.id, file.id)) parts.push(part);
  })();
  await hurried(person, whole).catch(() => undefined);
  return { bytes: Buffer.concat(parts), whole };
}

async function send(person: Person, id: string, text: string, bytes: Uint8Array): Promise<void> {
  const files = [
    { name: "a.bin", mediaType: "application/octet-stream", sizeBytes: bytes.length, content: new Blob([new Uint8Array(bytes)]) },
  ];
  await person.client.send(id, text, { files });
}

describe("D34 another file than was sent", () => {
  test("[E-134] whatever the server gives in its place, no byte that is not the author's is read, and nothing of it is kept", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundTrio(scene);
    const [bytes, others] = [randomBytes(2_500_000), randomBytes(2_500_000)];
    await send(ada, id, "mine", bytes);
    await send(ada, id, "another", others);
    const { message, file } = await withFile(ben, id, "mine");
    const another = await withFile(ben, id, "another");
    const blob = async (fileId: string): Promise<Buffer> =>
      Buffer.from(await (await fetch(scene.server.url + blobPath(fileId))).arrayBuffer());
    const [sealed, other] = [await blob(file.id), await blob(another.file.id)];
    const flipped = Buffer.from(sealed);
    flipped[1_500_000] = (flipped[1_500_000] ?? 0) ^ 1;
    const at = (from: number, to?: number): Buffer => sealed.subarray(from * chunk, to === undefined ? undefined : to * chunk);
    const lies: Readonly<Record<string, Buffer>> = {
      "one bit changed": flipped,
      "two files swapped": other,
      "chunks swapped": Buffer.concat([at(0, 3), at(4, 5), at(3, 4), at(5)]),
      "a chunk repeated": Buffer.concat([at(0, 3), at(2, 3), at(4)]),
      "a chunk left out": Buffer.concat([at(0, 3), at(4)]),
      "cut off": at(0, 20),
      "lengthened by another's end": Buffer.concat([sealed, other.subarray(-chunk)]),
      "the other's second half": Buffer.concat([sealed.subarray(0, 20 * chunk), other.subarray(20 * chunk)]),
      nothing: Buffer.alloc(0),
    };
    for (const [lie, answer] of Object.entries(lies)) {
      const stop = scene.operator.override({
        get: (_person, path) => (path === blobPath(file.id) ? new Response(new Uint8Array(answer)) : undefined),
      });
      const { bytes: read, whole } = await given(ben, message, file);
      const failure = await refusal(whole);
      expect(failure.code, lie).toBe("server_lied");
      expect(read.length, lie).toBeLessThan(bytes.length);
      expect(read.equals(bytes.subarray(0, read.length)), lie).toBe(true);
      const fetched = await hurried(ben, ben.client.fetchFile(id, message.id, file.id)).then(
        () => "here",
        (error: unknown) => (error as ClientFailure).code,
      );
      // Of what is longer all may have come before its end.
      expect(lie.startsWith("lengthened") ? ["server_lied", "here"] : ["server_lied"], lie).toContain(fetched);
      stop();
      // Nothing of it was kept that could be read in its place.
      expect((await given(ben, message, file)).bytes.equals(bytes), lie).toBe(true);
      await ben.client.removeFile(id, message.id, file.id);
      shows(context, failure);
    }
    expect(await ben.alarms()).toEqual([]);
  });

  test("[E-134] of a member who lies about size, hash, key or host nothing is read that is not what they sent, nobody else is asked, and nothing else suffers", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    const bytes = randomBytes(800_000);
    await send(mal, id, "true", bytes);
    const { message, file } = await withFile(mal, id, "true");
    const { key, prefix } = await mal.client.fileAccess(id, message.id, file.id);
    const blobId = fromBase64Url(file.id);
    const sealed = new Uint8Array(await (await fetch(scene.server.url + blobPath(file.id))).arrayBuffer());
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", sealed));
    const honest: FilePart = {
      kind: "file",
      host,
      blobId,
      key,
      prefix,
      hash,
      sizeBytes: bytes.length,
      name: "a.bin",
      mediaType: "application/octet-stream",
      description: "",
    };
    const lies: Readonly<Record<string, readonly [Partial<FilePart>, string]>> = {
      "of a larger size": [{ sizeBytes: 1_900_000 }, "server_lied"],
      "of a smaller size": [{ sizeBytes: 100_000 }, "server_lied"],
      "of another hash": [{ hash: new Uint8Array(32) }, "server_lied"],
      "of another key": [{ key: new Uint8Array(32) }, "server_lied"],
      "of another host": [{ host: "evil.example" }, "other_host"],
      "of a blob that is nowhere": [{ blobId: new Uint8Array(32).fill(9) }, "file_gone"],
    };
    await settle(ada, ben, mal);
    const said = Object.entries(lies).map(([text, [lie]]) => {
      const head = { salt: new Uint8Array(randomBytes(16)), sentAtMs: Date.now() };
      return { plaintext: createTextContent({ ...head, text, files: [{ ...honest, ...lie }] }) };
    });
    await writeAs(scene, mal, id, said);
    for (const [text, [, code]] of Object.entries(lies)) {
      const lie = await withFile(ben, id, text);
      const asked: string[] = [];
      const stop = scene.operator.override({ get: (_person, path) => void asked.push(path) });
      const { bytes: read, whole } = await given(ben, lie.message, lie.file);
      const failure = await refusal(whole);
      expect(failure.code, text).toBe(code);
      expect(read.length, text).toBeLessThan(Math.min(bytes.length, lie.file.sizeBytes));
      expect(read.equals(bytes.subarray(0, read.length)), text).toBe(true);
      stop();
      if (code === "other_host") expect(asked).toEqual([]);
      shows(context, failure);
    }
    const { message: got, file: shown } = await withFile(ben, id, "true");
    expect((await given(ben, got, shown)).bytes.equals(bytes)).toBe(true);
    await ada.client.send(id, "goes on");
    await eventually(async () => (await ben.texts(id)).includes("goes on"), "the conversation goes on");
    expect(await ben.alarms()).toEqual([]);
  });
});
