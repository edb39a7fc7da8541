// E3 | the backup is readable by the operator, or by whoever orders it from them | P
// Source: FBI "Lawful Access" chart, January 2021: content by way of cloud backups
// Counter-measure: its keys are at the server sealed for the recovery phrase alone, no device keeps one, and what was deleted is written over within days (B-2, B-4)
import { describe, expect, test } from "vitest";
import { cpSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { equalBytes, fromBase64Url } from "@latchkey/codec";
import { readHoldings } from "@latchkey/client/holdings";
import { openNodeStore } from "@latchkey/client/node";
import { chunkKeyOf, openChunk } from "@latchkey/client/testing";
import { backUp, phraseOf, recovered, textsOf } from "./testing/backups.ts";
import { foundPair, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Every state of a profile that a copy of its folder has: the last one, and those before it that its write-ahead log leads through. */
async function* statesOf(folder: string): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
  const log = readFileSync(join(folder, "profile.db-wal"));
  const frameBytes = 24 + (log.length > 12 ? log.readUInt32BE(8) : 0);
  // A frame that ends a transaction says how large the database is by then.
  const ends = Array.from({ length: Math.floor(Math.max(0, log.length - 32) / frameBytes) }, (_, at) => 32 + at * frameBytes)
    .filter((at) => log.readUInt32BE(at + 4) !== 0)
    .map((at) => at + frameBytes);
  for (const [at, end] of [0, ...ends].entries()) {
    const trial = `${folder}-${String(at)}`;
    cpSync(folder, trial, { recursive: true });
    writeFileSync(join(trial, "profile.db-wal"), log.subarray(0, end));
    const store = await openNodeStore(trial).catch(() => undefined);
    // One that is far behind is refused as restored.
    if (store === undefined) continue;
    yield await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    await store.close();
  }
}

describe("E3 backups", () => {
  test("[B-2] nothing of what was said is in what the server stores, or gives out about an account; with the phrase it is all there", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    for (const word of ["marmalade", "lighthouse", "periwinkle"]) await say(ada, id, word);
    await say(ben, id, "a bassoon");
    await settle(ada, ben);
    const phrase = await phraseOf(ada);
    await backUp(ada);
    const words = ["marmalade", "lighthouse", "periwinkle", "a bassoon"];
    const stored = readdirSync(join(scene.folder, "server"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    const inspected = await ada.client.inspect();
    const pieces = await Array.fromAsync(readHoldings(inspected));
    const held = Buffer.concat(pieces);
    expect(JSON.parse(held.toString("utf8"))).toMatchObject({ history_backup: { counter: 1 } });
    for (const bytes of [...stored, held])
      for (const word of [...words, ...phrase.split(" ").slice(0, 1)].filter((one) => one.length > 6))
        expect(bytes.includes(word), word).toBe(false);

    await ada.client.close();
    const fresh = await recovered(scene, "ada", phrase, "ada-2");
    expect(await fresh.historyBackup()).toMatchObject({ keptBy: "gone", found: { stage: "offered", messages: 5 } });
    expect(await fresh.restoreHistoryBackup()).toMatchObject({ found: { stage: "done", restored: 5, missing: 0 } });
    expect(await textsOf(fresh, id)).toEqual(["hello", ...words]);
    // It goes on with it, and takes what was left there for no attack.
    expect(await fresh.writeHistoryBackup()).toMatchObject({ keptBy: "this", failure: undefined });
    expect(await fresh.alarms()).toEqual([]);
    shows(context, "what the server stores of a backup opens by the recovery phrase alone");
  });

  test("[B-2] [B-4] what was deleted opens by nothing that is in the profile which wrote it, whatever a server kept, and an honest one has it for days alone", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    await say(ada, id, "the lighthouse at seven");
    await settle(ada, ben);
    const phrase = await phraseOf(ada);
    await ada.client.forgetRecoveryPhrase();
    await ada.client.keepHistoryBackup(phrase);
    await ada.client.writeHistoryBackup();
    const message = (await ada.client.messages(id, { limit: 10 })).find(
      ({ body }) => body.kind === "text" && body.text.includes("lighthouse"),
    );
    await ada.client.deleteMessages(id, [message?.id ?? ""], { forEveryone: false });
    await ada.client.writeHistoryBackup();
    const kept = scene.operator.seen.flatMap(({ body }) => (body?.kind === "put_history_chunk" ? [body] : []));
    expect(kept.length).toBe(2);
    await ada.jump(8 * 86_400_000);
    await ada.client.writeHistoryBackup();
    await ada.client.close();

    const database = new DatabaseSync(join(scene.folder, "server", "accounts.sqlite"), { readOnly: true });
    const left = database.prepare("SELECT chunk FROM history_chunks").all();
    database.close();
    expect(left).toHaveLength(1);
    for (const { chunk } of kept)
      expect(left.some((row) => row["chunk"] instanceof Uint8Array && equalBytes(row["chunk"], chunk))).toBe(false);

    const store = await openNodeStore(scene.profileOf("ada"));
    const records = await store.transact("read", (tx) => tx.scan({ prefix: "history-backup/" }));
    await store.close();
    const keys = records.flatMap(([, value]) =>
      Array.from({ length: Math.max(0, value.length - 31) }, (_, at) => value.slice(at, at + 32)),
    );
    expect(keys.length).toBeGreaterThan(100);
    const accountId = fromBase64Url(ada.accountId);
    const opened = kept.filter(({ chunk, generation, number }) =>
      keys.some((key) => [key, chunkKeyOf(key)].some((one) => openChunk(chunk, one, { accountId, generation, number }) !== undefined)),
    );
    expect(opened).toEqual([]);

    const fresh = await recovered(scene, "ada", phrase, "ada-2");
    expect(await fresh.restoreHistoryBackup()).toMatchObject({ found: { stage: "done", missing: 0 } });
    expect(await textsOf(fresh, id)).toEqual(["hello"]);
    shows(context, "what was deleted is out of the backup, and who wrote it has no key of it");
  });

  test("[B-2] a copy of the profile of a device that runs, or was killed, has no earlier state with a key of what was written, or with what was deleted", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const phrase = await phraseOf(ada);
    await ada.client.forgetRecoveryPhrase();
    await ada.client.keepHistoryBackup(phrase);
    await ada.client.writeHistoryBackup();
    await say(ada, id, "the lighthouse at seven");
    await settle(ada, ben);
    await ada.client.writeHistoryBackup();
    const { body, id: messageId } = (await ada.client.messages(id, { limit: 1 })).at(-1) ?? {};
    expect(body).toMatchObject({ text: "the lighthouse at seven" });
    const copies = ["once it was deleted", "once it was written"].map((name) => join(scene.folder, name));
    for (const copy of copies) {
      if (copy === copies[0]) await ada.client.deleteMessages(id, [messageId ?? ""], { forEveryone: false });
      else await ada.client.writeHistoryBackup();
      cpSync(scene.profileOf("ada"), copy, { recursive: true });
    }
    const kept = scene.operator.seen.flatMap(({ body: sent }) => (sent?.kind === "put_history_chunk" ? [sent] : []));
    expect(kept.length).toBeGreaterThan(2);

    const accountId = fromBase64Url(ada.accountId);
    for (const [at, copy] of copies.entries())
      for await (const records of statesOf(copy)) {
        for (const [, value] of records) expect(Buffer.from(value).includes("lighthouse")).toBe(false);
        const backup = records.filter(([key]) => key.startsWith("history-backup/"));
        const keys = backup.flatMap(([, value]) =>
          Array.from({ length: Math.max(0, value.length - 31) }, (_, from) => chunkKeyOf(value.slice(from, from + 32))),
        );
        expect(keys.length).toBeGreaterThan(100);
        // The one that was written after the copy was taken is of what comes later.
        for (const { chunk, generation, number } of at === 0 ? kept.slice(0, -1) : kept)
          expect(keys.some((key) => openChunk(chunk, key, { accountId, generation, number }) !== undefined)).toBe(false);
      }
    shows(context, "a device's storage keeps no earlier state of what it wrote the backup with");
  });

  test("[B-2] another phrase, and an account that was put in the place of another, open nothing", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    await say(ada, id, "for ada alone");
    await settle(ada, ben);
    const [adas, bens] = [await phraseOf(ada), await phraseOf(ben)];
    await backUp(ada);
    await backUp(ben);
    // The operator shows Ben what is Ada's, and the other way about.
    let [manifest, other] = [new Uint8Array(), new Uint8Array()];
    scene.operator.override({
      reply(line, body) {
        if (body.kind !== "history_manifest") return body;
        if (line.person === "ada") manifest = body.manifest.slice();
        if (line.person === "ben") other = body.manifest.slice();
        return line.person === "ben-2" ? { ...body, manifest } : line.person === "ada-2" ? { ...body, manifest: other } : body;
      },
    });
    await ada.client.historyBackup({ isAsked: true });
    await ben.client.historyBackup({ isAsked: true });
    expect([manifest.length > 0, other.length > 0]).toEqual([true, true]);
    for (const person of [ada, ben]) await person.client.close();
    const fresh = await recovered(scene, "ben", bens, "ben-2");
    expect((await fresh.historyBackup()).found).toBeUndefined();
    await expect(fresh.findHistoryBackup(bens)).rejects.toMatchObject({ code: "server_lied" });
    await expect(fresh.findHistoryBackup(adas)).rejects.toMatchObject({ code: "invalid_phrase" });
    await expect(fresh.restoreHistoryBackup()).rejects.toMatchObject({ code: "no_backup" });
    shows(context, "a backup of somebody else's is none");
  });
});
