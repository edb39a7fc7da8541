// A18 | a name that was given to another account is made known inside a group, so that its history is never looked at | P
// Source: found by trying, 2026-11-27
// Counter-measure: names are pinned by look-ups alone
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { eventually, hear, host, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A18 a name learned in band", () => {
  test("the operator gives a name to a ghost, a member adds the ghost to a group: who looks the name up later is still told", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const [ada, cyd] = [await scene.person("ada"), await scene.person("cyd")];
    await scene.person("ben");
    await scene.person("dan");
    const { id } = await cyd.client.startConversation({ to: ["ada", "dan"], name: "club" });
    await say(cyd, id, "hello");
    await hear(ada, id, "hello");
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    // Cyd is in it with the operator, and means the ghost.
    await cyd.client.acceptName("ben");
    await cyd.client.addMembers(id, ["ben"]);
    const met = await eventually(
      async () =>
        (await ada.client.details(id)).members.find(
          ({ person }) => person.accountId === ghost.person.accountId && person.username === "ben",
        )?.person,
      "Ada sees the ghost in the group",
    );
    expect(met).toMatchObject({ isNameLookedUp: false });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("name_changed_hands");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });
});
