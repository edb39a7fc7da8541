// E5 | an older copy of a backup is given out as the newest, or parts of it are withheld, so that what was said since is lost without a word | D
// Source: general: rollback of what is stored encrypted elsewhere
// Counter-measure: a counter that is signed and that the devices of an account tell each other, a hash of each chunk (B-3, B-6, B-7)
import type { HistoryManifest } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { backUp, phraseOf, recovered, textsOf } from "./testing/backups.ts";
import type { Reply } from "./testing/operator.ts";
import { alarmOf, eventually, foundPair, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Keeps every manifest that the server has; `shown` gives those that the operator tells. */
function keeping(scene: Scene, shown: (person: string, honest: HistoryManifest, all: readonly HistoryManifest[]) => HistoryManifest): void {
  const all: HistoryManifest[] = [];
  scene.operator.override({
    reply({ person }, body): Reply {
      if (body.kind !== "history_manifest") return body;
      if (!all.some(({ counter }) => counter === body.counter)) all.push(body);
      return { ...body, ...shown(person, body, all) };
    },
  });
}

async function withBackup(scene: Scene): Promise<{ ada: Person; ben: Person; id: string; phrase: string }> {
  const { ada, ben, id } = await foundPair(scene);
  const phrase = await phraseOf(ada);
  await backUp(ada);
  return { ada, ben, id, phrase };
}

describe("E5 backups", () => {
  test("[B-7] the device that keeps it is shown an older one: an alarm, and all of it is written once more", async (context) => {
    await using scene = await Scene.open();
    let isOld = false;
    keeping(scene, (_person, honest, all) => (isOld ? (all.find(({ counter }) => counter === 1) ?? honest) : honest));
    const { ada, ben, id } = await withBackup(scene);
    expect(await ada.client.historyBackup({ isAsked: true })).toMatchObject({ keptBy: "this" });
    await say(ben, id, "later");
    await settle(ada, ben);
    await ada.client.writeHistoryBackup();
    expect(await ada.alarms()).toEqual([]);
    isOld = true;
    await ada.client.historyBackup({ isAsked: true });
    await alarmOf(ada, "backup_rolled_back");
    // The same once more is no news.
    await ada.client.historyBackup({ isAsked: true });
    expect(await ada.alarms()).toEqual(["backup_rolled_back"]);
    isOld = false;
    await ada.client.writeHistoryBackup();
    expect(await ada.client.historyBackup()).toMatchObject({ failure: undefined });
    shows(context, "an older backup is told by the devices that know of a later one");
  });

  test("[B-7] [E-312] another device of the account is shown an older one, or none: an alarm there", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await withBackup(scene);
    const laptop = await scene.device(ada, "ada-laptop");
    await say(ben, id, "later");
    await settle(ada, ben, laptop);
    await ada.client.writeHistoryBackup();
    await eventually(async () => (await laptop.client.historyBackup()).keptBy === "other", "the laptop hears of the backup");
    await laptop.client.historyBackup({ isAsked: true });
    expect(await laptop.alarms()).not.toContain("backup_rolled_back");
    scene.operator.override({
      reply: ({ person }, body) =>
        body.kind === "history_manifest" && person === "ada-laptop" ? { ...body, counter: 0, chunks: 0 } : body,
    });
    await laptop.client.historyBackup({ isAsked: true });
    await alarmOf(laptop, "backup_rolled_back");
    shows(context, "each device of the account looks by itself");
  });

  test.each(["linked after the last writing", "linked before there was one"])(
    "[B-7] a device that was %s knows of it, and looks by itself each day: none is shown, and that is an alarm there",
    async (linked) => {
      await using scene = await Scene.open();
      const { ada, ben } = await foundPair(scene);
      if (linked === "linked after the last writing") await backUp(ada);
      const laptop = await scene.device(ada, "ada-laptop");
      await settle(ada, ben, laptop);
      if (linked === "linked before there was one") await backUp(ada);
      await settle(ada, ben, laptop);
      await ada.client.close();
      scene.operator.override({
        reply: ({ person }, body) =>
          body.kind === "history_manifest" && person === "ada-laptop" ? { ...body, counter: 0, chunks: 0 } : body,
      });
      for (let day = 0; day < 2; day++) await laptop.jump(86_400_000);
      await alarmOf(laptop, "backup_rolled_back");
      expect((await laptop.client.historyBackup()).keptBy).toBe("other");
    },
  );

  test("[B-4] [B-7] another device takes over by the words: the one before stops, and nobody is told of an older copy", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, phrase } = await withBackup(scene);
    const laptop = await scene.device(ada, "ada-laptop");
    await settle(ada, ben, laptop);
    await laptop.client.keepHistoryBackup(phrase);
    await laptop.client.writeHistoryBackup();
    await say(ben, id, "later");
    await settle(ada, ben, laptop);
    await ada.client.writeHistoryBackup();
    await laptop.client.writeHistoryBackup();
    expect(await ada.client.historyBackup({ isAsked: true })).toMatchObject({ keptBy: "other", written: { messages: 2 } });
    expect(await laptop.client.historyBackup({ isAsked: true })).toMatchObject({ keptBy: "this", written: { messages: 2 } });
    expect([...(await ada.alarms()), ...(await laptop.alarms())]).not.toContain("backup_rolled_back");
    shows(context, "one device keeps it, and the others know which");
  });

  test("[B-6] a counter that is only said, an older manifest under it, and one that was changed open nothing", async (context) => {
    await using scene = await Scene.open();
    let how: (honest: HistoryManifest, all: readonly HistoryManifest[]) => HistoryManifest = (honest) => honest;
    keeping(scene, (person, honest, all) => (person === "ada-2" ? how(honest, all) : honest));
    const { ada, ben, id, phrase } = await withBackup(scene);
    await ada.client.historyBackup({ isAsked: true });
    await say(ben, id, "later");
    await settle(ada, ben);
    await ada.client.writeHistoryBackup();
    await ada.client.close();
    how = (honest, all) => ({ ...(all.find(({ counter }) => counter === 1) ?? honest), counter: honest.counter });
    const fresh = await recovered(scene, "ada", phrase, "ada-2");
    expect((await fresh.historyBackup()).found).toBeUndefined();
    how = (honest) => ({ ...honest, manifest: honest.manifest.map((byte, at) => (at === honest.manifest.length - 20 ? byte ^ 1 : byte)) });
    await expect(fresh.findHistoryBackup(phrase)).rejects.toMatchObject({ code: "server_lied" });
    how = (honest) => ({ ...honest, chunks: honest.chunks + 1 });
    await expect(fresh.findHistoryBackup(phrase)).rejects.toMatchObject({ code: "server_lied" });
    how = (honest) => honest;
    expect(await fresh.findHistoryBackup(phrase)).toMatchObject({ found: { stage: "offered" } });
    // From now on it knows better.
    how = (_honest, all) => all.find(({ counter }) => counter === 1) ?? _honest;
    await expect(fresh.findHistoryBackup(phrase)).rejects.toMatchObject({ code: "server_lied" });
    shows(context, "what is shown has to be what a device signed, as it stands");
  });

  test("[B-6] [E-310] chunks that are withheld, changed or put in another's place are told, and the last copy is not written over", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, phrase } = await withBackup(scene);
    for (const text of ["later", "last"]) {
      await say(ben, id, text);
      await settle(ada, ben);
      await ada.client.writeHistoryBackup();
    }
    const chunks = new Map<number, Uint8Array>();
    await ada.client.close();
    scene.operator.override({
      reply({ person }, body, request): Reply {
        if (person !== "ada-2" || body.kind !== "history_chunk" || request?.kind !== "read_history_chunk") return body;
        chunks.set(request.number, body.chunk);
        // The newest first: in the place of the first chunk the last one is shown.
        if (request.number === 0) return { ...body, chunk: chunks.get(Math.max(...chunks.keys())) ?? body.chunk };
        return request.number === 1 ? { kind: "error", code: "not_found", retryAfterMs: 0 } : body;
      },
    });
    const fresh = await recovered(scene, "ada", phrase, "ada-2");
    const state = await fresh.restoreHistoryBackup();
    expect(state.found).toMatchObject({ stage: "done", missing: 2 });
    expect(state.keptBy).toBe("gone");
    const before = scene.operator.seen.filter(({ kind }) => kind === "put_history_manifest").length;
    await fresh.writeHistoryBackup();
    expect(scene.operator.seen.filter(({ kind }) => kind === "put_history_manifest").length).toBe(before);
    expect(await textsOf(fresh, id)).toEqual(["last"]);
    shows(context, "what is missing is counted, and stays at the server");
  });
});
