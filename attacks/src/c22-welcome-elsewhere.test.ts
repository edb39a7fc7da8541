// C22 | junk commit, then a Welcome into another group with the same log id: takeover by a member | P
// Source: found by trying it, 2026-11-27
// Counter-measure: bound for life: a conversation keeps its group, and a Welcome replaces nothing by itself (M-9)
import { fromBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { begun, eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** An accomplice of the operator, who founds a group under the address of another on a server that only they see. */
async function founder(scene: Scene, id: string): Promise<Person> {
  const room = await scene.backRoom();
  scene.operator.route({ people: ["zed"], roles: ["log"], url: room.url });
  // Whatever else is drawn meanwhile: the log's id is among it.
  let isFounding = false;
  const zed = await scene.person("zed", { tamper: (random) => (size) => (isFounding && size === 32 ? fromBase64Url(id) : random(size)) });
  isFounding = true;
  const fake = await zed.client.startConversation({ to: ["zed"], name: "Allotment" });
  isFounding = false;
  expect(fake.id).toBe(id);
  return zed;
}

const acceptAll = async ({ client }: Person): Promise<void> => {
  for (const request of (await client.requests()).list) await client.acceptRequest(request.id).catch(() => undefined);
};

describe("C22 a Welcome into another group under the address of a conversation", () => {
  test("whoever is out of it is not put into the other one, not even after accepting its founder: history and title stay as they were", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await ada.client.removeMembers(id, [ben.accountId]);
    await eventually(async () => (await ben.client.conversations())[0]?.status === "removed", "ben is out");
    const before = await ben.client.messages(id, { limit: 100 });

    // An accomplice founds a group of its own at the same address, and lets it grow past the true one.
    const zed = await founder(scene, id);
    for (let sent = 0; sent < 8; sent++) await say(zed, id, `filler ${sent}`);
    await zed.client.addMembers(id, ["ben"]);
    await settle(zed);
    await settle(ben);
    await acceptAll(ben);
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

  test("[E-29] [M-9] whoever is welcomed there first reads whose word it is, and goes into the true one by their consent", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const vic = await scene.person("vic", { requests: "ask" });
    const id = await begun([ada, ben], "Allotment");
    const shown = async (): ReturnType<typeof vic.client.conversations> => await vic.client.conversations();
    const zed = await founder(scene, id);
    await zed.client.addMembers(id, ["vic"]);
    await settle(zed);
    await eventually(async () => (await vic.client.requests()).list.length > 0, "zed asks");
    await acceptAll(vic);
    await eventually(async () => (await shown())[0]?.stop !== undefined, "the log knows nothing of that group");
    const [trap] = await shown();
    expect(trap?.stop?.failure.message).toContain("told it of another conversation than the server has");
    const since = scene.mark;
    await vic.client.send(id, "typed there").catch(() => undefined);

    await ada.client.addMembers(id, ["vic"]);
    await eventually(async () => (await vic.client.requests()).list.length > 0, "ada asks");
    await acceptAll(vic);
    await eventually(async () => (await shown())[0]?.invitations.length === 1, "ada's group is offered");
    const [asked] = await shown();
    expect(asked?.invitations).toMatchObject([{ from: { username: "ada" }, wasMember: false, replaced: { username: "zed" } }]);
    expect(await scene.sent(vic, since)).toBe(0);
    await vic.client.acceptInvitation(id, ada.accountId);
    await say(ada, id, "welcome");
    await hear(vic, id, "welcome");
    // What was typed for the others waits for the person's word; the true one is bound for life, though Zed asks once more.
    const [typed] = (await vic.client.messages(id, { limit: 100 })).filter(
      ({ body }) => body.kind === "text" && body.text === "typed there",
    );
    expect(typed?.delivery).toMatchObject({ kind: "failed" });
    await zed.client.addMembers(id, ["vic"], { again: true });
    await settle(zed, vic);
    await say(vic, id, "here I am");
    await hear(ben, id, "here I am");
    expect(await shown()).toMatchObject([{ id, status: "active", stop: undefined, invitations: [] }]);
    expect(await ben.texts(id)).not.toContain("typed there");
    shows(context, `${trap?.stop?.failure.message} ada asks into another group than zed's; accepted, it goes on`);
  });

  test("[E-29] whoever left it, or went on from it elsewhere, is asked into the true one all the same", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const people = [await scene.person("vic"), await scene.person("wim")] as const;
    const [vic, wim] = people;
    const id = await begun([ada, ben], "Allotment");
    const zed = await founder(scene, id);
    await zed.client.addMembers(id, ["vic", "wim"]);
    await settle(zed);
    for (const { client, name } of people)
      await eventually(async () => (await client.conversations())[0]?.stop !== undefined, `${name} is told`);
    await vic.client.leave(id);
    await wim.client.continueConversation(id);
    expect((await wim.client.conversations()).map((one) => one.id)).not.toContain(id);

    await ada.client.addMembers(id, ["vic", "wim"]);
    for (const { client, name } of people) {
      const isAsked = async (): Promise<boolean> =>
        (await client.conversations()).some((one) => one.id === id && one.continuedIn === undefined && one.invitations.length === 1);
      await eventually(isAsked, `${name} is asked`);
      await client.acceptInvitation(id, ada.accountId);
    }
    await say(ada, id, "welcome");
    await hear(vic, id, "welcome");
    await hear(wim, id, "welcome");
    // Where wim went on from the other group does not end this one.
    await wim.client.close();
    const again = await scene.reopen("wim");
    await eventually(async () => (await again.conversations()).some((one) => one.id === id && one.status === "active"), "wim is in it");
    await again.send(id, "still here");
    await hear(ada, id, "still here");
    shows(context, "asked into the true group, and in it");
  });
});
