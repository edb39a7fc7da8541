// C28 | what somebody said when they left is shown again to remove them after they came back; or said in their name | P
// Source: found by trying, 2026-11-27
// Counter-measure: the word names the leaf that it is about, is verified by that leaf's key, and lies in the commit itself (M-3, E-25)
import { createNodePlatform } from "@latchkey/client/node";
import { encode } from "@latchkey/codec";
import { encryptApplicationMessage } from "@latchkey/mls";
import { createLeaveContent, leafMarkOf, leavesCodec } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { linesOf, shows, skipped } from "./testing/shown.ts";

const { sha256, random } = createNodePlatform();

describe("C28 somebody else's word of leaving", () => {
  test("an old one removes nobody who came back, and one in their name removes nobody: both are skipped, by all alike", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal]) await hear(person, id, "hello");
    await ben.client.leave(id);
    for (const person of [ada, mal]) {
      await eventually(async () => (await person.client.details(id)).members.length === 2, "ben is out");
    }
    const [left] = await linesOf(mal, id, "left");
    if (left === undefined) throw new Error("mal read it");
    await ada.client.addMembers(id, ["ben"]);
    await eventually(async () => (await ben.client.conversations())[0]?.invitations.length === 1, "ben is asked");
    await ben.client.acceptInvitation(id, ada.accountId);
    await say(ben, id, "back again");
    for (const person of [ada, mal]) await hear(person, id, "back again");
    await settle(ada, ben, mal);
    using insider = await Insider.take(scene, mal, id);
    const leaf = insider.leafOf(ben);
    const kept = await Insider.keptIn(scene, mal, id, left.order);
    const old = encode(leavesCodec, [{ ...kept, leaf }]);
    expect((await insider.post(await insider.forge({ removes: [leaf] }), { leaves: old })).kind).toBe("accepted");
    // Signed by the insider, of Ben's leaf as it stands.
    const key = insider.group.tree.leafAt(leaf)?.encryptionKey;
    if (key === undefined) throw new Error("a leaf");
    const plaintext = createLeaveContent({ salt: new Uint8Array(16), sentAtMs: Date.now(), leaf: leafMarkOf(sha256, key) });
    const { evidence } = await encryptApplicationMessage(insider.group, { plaintext, authenticatedData: new Uint8Array(4), random });
    const forged = encode(leavesCodec, [{ ...evidence, leaf }]);
    expect((await insider.post(await insider.forge({ removes: [leaf] }), { leaves: forged })).kind).toBe("accepted");
    await say(ada, id, "still three");
    await hear(ben, id, "still three");
    await say(ben, id, "still here");
    await hear(ada, id, "still here");
    for (const person of [ada, ben]) {
      expect((await person.client.details(id)).members).toHaveLength(3);
      expect(await skipped(person, id)).toEqual(["mal"]);
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });
});
