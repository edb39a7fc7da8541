// D35 | a member names the blob of somebody else's file in a message of their own, with another size, another key, or to delete it again: what readers keep of the file goes, or is overwritten, and the host may have it no more | P
// Source: E-136; what a host keeps for its retention alone is afterwards on devices only
// Counter-measure: what is kept of a blob is for the message that named it first on this device; for another one it is read from the host, kept nowhere, and nothing that is kept is touched (X-23, E-136)
import { randomBytes } from "node:crypto";
import { createNodePlatform } from "@latchkey/client/node";
import { fromBase64Url } from "@latchkey/codec";
import { groupId } from "@latchkey/mls";
import { blobPath, createDeletionContent, createTextContent, messageIdOf, roomUri, senderUri } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, foundTrio, host, refusal, Scene, settle, withFile } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("D35 another's blob", { timeout: 120_000 }, () => {
  test("[E-136] whoever else names it, lies about it and deletes what named it: what is kept of a file stays, and is read after its host has it no more", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    const bytes = randomBytes(2_500_000);
    const content = new Blob([new Uint8Array(bytes)]);
    await ada.client.send(id, "mine", { files: [{ name: "a.bin", mediaType: "text/plain", sizeBytes: bytes.length, content }] });
    const { message, file } = await withFile(ben, id, "mine");
    await ben.client.fetchFile(id, message.id, file.id);
    await withFile(mal, id, "mine");
    const { key, prefix } = await mal.client.fileAccess(id, message.id, file.id);
    const sealed = await (await fetch(scene.server.url + blobPath(file.id))).arrayBuffer();
    const honest: FilePart = {
      kind: "file",
      host,
      blobId: fromBase64Url(file.id),
      key,
      prefix,
      hash: new Uint8Array(await crypto.subtle.digest("SHA-256", sealed)),
      sizeBytes: bytes.length,
      name: "a.bin",
      mediaType: "text/plain",
      description: "",
    };
    await settle(ada, ben, mal);
    const contentOf = (text: string, over: Partial<FilePart>, salt: Uint8Array = randomBytes(16)): Uint8Array =>
      createTextContent({ salt: new Uint8Array(salt), sentAtMs: Date.now(), text, files: [{ ...honest, ...over }] });
    await writeAs(scene, mal, id, async ({ state: { group, host: logHost } }) => {
      if (group === undefined) throw new Error("a member");
      const salt = new Uint8Array(randomBytes(16));
      const deleted = contentOf("deleted", {}, salt);
      const { sha256 } = createNodePlatform();
      const names = { senderUri: senderUri(logHost, fromBase64Url(mal.accountId)), roomUri: roomUri(logHost, groupId(group)) };
      const replaces = messageIdOf({ sha256, ...names, content: deleted, salt });
      return [
        { plaintext: contentOf("larger", { sizeBytes: 6_000_000 }) },
        { plaintext: contentOf("another key", { key: new Uint8Array(32), hash: new Uint8Array(32) }) },
        { plaintext: contentOf("the same", {}) },
        { plaintext: deleted },
        { plaintext: createDeletionContent({ salt: new Uint8Array(randomBytes(16)), sentAtMs: Date.now(), replaces }) },
      ];
    });
    await eventually(
      async () => (await ben.client.messages(id, { limit: 50 })).some(({ body }) => body.kind === "deleted"),
      "the deletion arrives",
    );
    expect(await ben.client.fileState(id, message.id, file.id)).toEqual({ kind: "here" });
    for (const text of ["larger", "another key"]) {
      const lie = await withFile(ben, id, text);
      const failure = await refusal(ben.client.fetchFile(id, lie.message.id, lie.file.id));
      expect(failure.code).toBe("server_lied");
      await expect(Array.fromAsync(ben.client.readFile(id, lie.message.id, lie.file.id))).rejects.toMatchObject({ code: "server_lied" });
      await ben.client.removeFile(id, lie.message.id, lie.file.id);
      shows(context, failure);
    }
    const stop = scene.operator.override({
      get: (_person, path) => (path === blobPath(file.id) ? new Response(undefined, { status: 404 }) : undefined),
    });
    expect(await ben.client.fileState(id, message.id, file.id)).toEqual({ kind: "here" });
    expect(Buffer.concat(await Array.fromAsync(ben.client.readFile(id, message.id, file.id))).equals(bytes)).toBe(true);
    stop();
    const copy = await withFile(ben, id, "the same");
    expect(Buffer.concat(await Array.fromAsync(ben.client.readFile(id, copy.message.id, copy.file.id))).equals(bytes)).toBe(true);
    // What came of it once says nothing of the next time, and nothing of the file of the message that named the blob first.
    await ben.client.fetchFile(id, copy.message.id, copy.file.id);
    const stopAgain = scene.operator.override({
      get: (_person, path) => (path === blobPath(file.id) ? new Response(undefined, { status: 404 }) : undefined),
    });
    expect((await refusal(ben.client.fetchFile(id, copy.message.id, copy.file.id))).code).toBe("file_gone");
    expect(await ben.client.fileState(id, copy.message.id, copy.file.id)).toEqual({ kind: "gone" });
    await ben.client.removeFile(id, message.id, file.id);
    expect(await ben.client.fileState(id, message.id, file.id)).toMatchObject({ kind: "remote", hereBytes: 0 });
    stopAgain();
    await ben.client.fetchFile(id, copy.message.id, copy.file.id);
    expect(await ben.client.fileState(id, message.id, file.id)).toMatchObject({ kind: "remote", hereBytes: 0 });
    expect(await ben.alarms()).toEqual([]);
  });
});
