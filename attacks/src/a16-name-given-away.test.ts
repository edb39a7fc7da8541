// A16 | a name is released and bound to another account | D
// Source: draft-ietf-keytrans-architecture
// Counter-measure: signed bindings, whose history stands in the public log; the person is asked
import type { ClientErrorCode } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import type { ShownAccount } from "./testing/false-record.ts";
import { forgeAccount, forgeBinding, forgeDevice } from "./testing/forge.ts";
import type { ForgedDevice } from "./testing/forge.ts";
import { addGhost } from "./testing/ghost.ts";
import { eventually, foundPair, host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const dayMs = 86_400_000;

describe("A16 a name is given to another account", () => {
  test("its owner deleted their account: who knew them is asked, who did not is asked, and nothing of theirs is the new one's", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const { ada, ben, id } = await foundPair(scene);
    const dan = await scene.person("dan");
    await ben.client.deleteAccount();
    await eventually(async () => (await ada.client.details(id)).members.length === 1, "ben is out");
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    const since = scene.mark;
    // Ada's own look-up of the name is trusted for seven days; then, and by whoever never looked, it is asked again.
    await ada.jump(8 * dayMs);
    record.head = () => ({ cosignedMs: Date.now() + 8 * dayMs });
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("name_changed_hands");
    record.head = () => ({ cosignedMs: Date.now() });
    expect((await refusal(dan.client.startConversation({ to: ["ben"] }))).code).toBe("name_changed_hands");
    expect([await scene.written(ada, since), await scene.written(dan, since)]).toEqual([0, 0]);
    // Dan asked by another way, and means the account of now: for him it is another person, with nothing of the first one's.
    const met = await dan.client.acceptName("ben");
    expect(met.accountId).toBe(ghost.person.accountId);
    // What Ada has with the first one stays his: nobody else is in it, and the name is not the ghost's there.
    const authors = (await ada.client.messages(id, { limit: 100 })).flatMap(({ author }) => author?.accountId ?? []);
    expect(authors).not.toContain(ghost.person.accountId);
    const { members } = await ada.client.details(id);
    expect(members.map(({ person }) => person.accountId)).toEqual([ada.accountId]);
    shows(context, failure);
  });

  describe("whatever the record has of its being given up", () => {
    interface Hands {
      readonly first: ShownAccount;
      readonly owner: ForgedDevice;
      readonly thief: ForgedDevice;
    }
    const release = { status: "released", username: "ben" } as const;
    const words: readonly {
      readonly name: string;
      /** What she is told, where it is not that the name changed hands. */
      readonly code?: ClientErrorCode;
      make(hands: Hands): Promise<readonly Uint8Array[]>;
    }[] = [
      {
        name: "the owner's own word",
        make: async ({ first, owner }) => [await forgeBinding({ ...release, accountId: first.accountId }, owner)],
      },
      {
        name: "signed with the thief's key",
        make: async ({ first, owner, thief }) => {
          const signer = { kind: "device", deviceId: owner.entry.deviceId } as const;
          return [await forgeBinding({ ...release, accountId: first.accountId, signer }, thief)];
        },
      },
      {
        name: "the owner's word about another name",
        code: "directory_unproven",
        make: async ({ first, owner }) => [await forgeBinding({ ...release, accountId: first.accountId, username: "old-ben" }, owner)],
      },
      {
        name: "the owner's word about the name at another host",
        code: "directory_unproven",
        make: async ({ first, owner }) => [
          await forgeBinding({ ...release, accountId: first.accountId, host: "elsewhere.example" }, owner),
        ],
      },
      {
        name: "an old word of the owner's, who has taken the name again since",
        async make({ first, owner }) {
          const { accountId } = first;
          const old = await forgeBinding({ ...release, accountId, timeMs: Date.now() - 2 * dayMs }, owner);
          const again = await forgeBinding({ ...release, accountId, status: "bound", timeMs: Date.now() - dayMs }, owner);
          return [old, again, old];
        },
      },
      { name: "nothing at all", make: async () => [] },
    ];

    for (const { name, code = "name_changed_hands", make } of words) {
      test(`${name}: who asks for the first time is told, and nothing goes to the other account`, async (context) => {
        await using scene = await Scene.open();
        const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
        scene.operator.override(record.override());
        const ada = await scene.person("ada");
        const [owner, thief] = [await forgeDevice(), await forgeDevice()];
        const [first, second] = [await forgeAccount("ben", owner), await forgeAccount("ben", thief)];
        await record.publish(first);
        await record.publish({ ...second, bindings: [...(await make({ first, owner, thief })), ...second.bindings] });
        const since = scene.mark;
        const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
        expect(failure.code).toBe(code);
        expect(await scene.sent(ada, since)).toBe(0);
        shows(context, failure);
      });
    }
  });
});
