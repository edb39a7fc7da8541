// D18 | made-up gossip, or a made-up account history, holds all of a victim's sending | P
// Source: found by trying, 2026-11-27
// Counter-measure: only what the log signed convicts it (D-4, E-1); anything else names its speaker
import { utf8Bytes } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { encodeCheckpoint, formatNote, gossipOf, signNote } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import type { Said } from "./testing/hostile-author.ts";
import { eventually, hear, host, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { signatures } = createNodePlatform();

/** A checkpoint of the server's log that its log never signed. */
async function madeUp(size: number, seed: number): Promise<Uint8Array> {
  const name = `${host}/latchkey`;
  const text = encodeCheckpoint({ origin: name, size, root: new Uint8Array(32).fill(seed), extensions: [] });
  return gossipOf(utf8Bytes(formatNote(await signNote({ text, name, secretKey: new Uint8Array(32).fill(seed), signatures }))));
}

describe("D18 made-up gossip and account histories", () => {
  test("a member says in every message that the server shows it another record, and that its account is another: it is named, and everybody goes on", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(mal, id, "hello");
    const { size } = await ada.client.directoryStatus();
    const messages: Said[] = [];
    for (const [at, seen] of [size, size - 1, size + 1, 9_000_000].entries()) {
      const accountChain = new Uint8Array(32).fill(at);
      messages.push({
        plaintext: utf8Bytes("x"),
        gossip: await madeUp(seen, at + 1),
        accountVersion: at % 2 === 0 ? 0 : 4_000_000_000,
        accountChain,
      });
    }
    await writeAs(scene, mal, id, messages);
    // The gossip of a round is looked at together, and the record is asked about the account, once.
    const lookUps = (): number => scene.operator.seen.filter(({ person, kind }) => person === "ada" && kind === "lookup_account").length;
    const before = lookUps();
    for (let round = 0; round < 2; round++) await ada.jump(40_000);
    const named = await eventually(async () => {
      const { members } = await ada.client.verification(id);
      return members.find(({ person }) => person.accountId === mal.accountId)?.falseWord;
    }, "Mal is named");
    expect(lookUps() - before).toBeLessThanOrEqual(2);
    // A day later nothing has come of it either.
    for (let hours = 0; hours < 3; hours++) await ada.jump(12 * 3_600_000);
    expect(await ada.alarms()).toEqual([]);
    expect((await ada.client.verification(id)).hold).toBeUndefined();
    await say(ada, id, "going on");
    await hear(ben, id, "going on");
    shows(context, `beside Mal's keys: a false word of ${named === "record" ? "the server's record" : "its account"}; no alarm, no hold`);
  });
});
