// C22 | junk commit, then a Welcome into another group with the same log id: takeover by a member | P
// Source: found by trying it, 2026-11-27
// Counter-measure: bound for life: a conversation keeps its group, and a Welcome replaces nothing by itself (M-9)
import { fromBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C22 a Welcome into another group under the address of a conversation", () => {
  test("whoever is out of it is not put into the other one, not even after accepting its founder: history and title stay as they were", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await ada.client.removeMember(id, ben.accountId);
    await eventually(async () => (await ben.client.conversations())[0]?.status === "removed", "ben is out");
    const before = await ben.client.messages(id, { limit: 100 });

    // An accomplice founds a group of its own at the same address, on a server that only it sees, and lets it grow past the true one.
    const room = await scene.backRoom();
    scene.operator.route({ people: ["zed"], roles: ["log"], url: room.url });
    // Whatever else is drawn meanwhile: the log's id is among it.
    let isFounding = false;
    const zed = await scene.person("zed", { tamper: (random) => (size) => (isFounding && size === 32 ? fromBase64Url(id) : random(size)) });
    isFounding = true;
    const fake = await zed.client.startConversation({ to: ["zed"], name: "Allotment" });
    isFounding = false;
    expect(fake.id).toBe(id);
    for (let sent = 0; sent < 8; sent++) await say(zed, id, `filler ${sent}`);
    await zed.client.addMembers(id, ["ben"]);
    await settle(zed);
    await settle(ben);
    for (const request of (await ben.client.requests()).list) await ben.client.acceptRequest(request.id).catch(() => undefined);
    await settle(ben);
    await say(zed, id, "we are all here");
    const [conversation] = await ben.client.conversations();
    expect(conversation).toMatchObject({ id, status: "removed", invitations: [] });
    expect(await ben.client.messages(id, { limit: 100 })).toEqual(before);
    const since = scene.mark;
    await expect(ben.client.send(id, "a secret")).rejects.toMatchObject({ code: "not_a_member" });
    expect(await scene.sent(ben, since)).toBe(0);
    shows(context, "the conversation stays as it was: removed, with its own lines");
  });
});
