import type { Client, Message } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { clientsOfEachTest } from "./testing/clients.ts";

const { register, settleAll } = clientsOfEachTest();

const idOf = async (client: Client): Promise<string> => (await client.account())?.accountId ?? "";
const rolesIn = async (client: Client, id: string): Promise<Record<string, string>> =>
  Object.fromEntries((await client.details(id)).members.map(({ person, role }) => [person.username, role]));
const newest = async (client: Client, id: string): Promise<Message["body"]["kind"] | undefined> =>
  (await client.messages(id, { limit: 1 }))[0]?.body.kind;

describe("[X-13] a group that people run", () => {
  test("is named, described and led; what one may not do is refused, and the last owner names another one before they go", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben", "cyd"], name: "Choir" });
    await settleAll();
    expect(await ben.details(id)).toMatchObject({
      description: "",
      rights: { add: "everyone", editInfo: "everyone", post: "everyone", remove: "administrators" },
      may: { add: true, editInfo: true, post: true, remove: false, timer: false, slowMode: false, own: false },
      successors: [],
    });
    expect(await ben.verification(id)).toMatchObject({ mayLetBack: true, mayRemove: false });
    await ben.changeSettings(id, { name: "Chamber choir", description: "On Tuesdays\nby the lake" });
    await settleAll();
    expect(await cyd.details(id)).toMatchObject({ description: "On Tuesdays\nby the lake", conversation: { title: "Chamber choir" } });
    const again = ben.changeSettings(id, { name: "Church choir" });
    await expect(again).rejects.toMatchObject({ code: "rate_limited", canRetry: true });
    await expect(again).rejects.toThrow(/four times an hour: do it again in [1-6]?\d s\.$/);
    await expect(ben.changeSettings(id, { timerS: 3600 })).rejects.toMatchObject({ code: "not_permitted" });
    await expect(ada.changeSettings(id, { name: "x".repeat(64).replaceAll("x", "\u{4E00}") })).rejects.toMatchObject({
      code: "invalid_setting",
    });
    await expect(ada.changeSettings(id, { timerS: -1 })).rejects.toMatchObject({ code: "invalid_setting" });

    await ada.changeSettings(id, { rights: { editInfo: "administrators", post: "administrators" } });
    await ada.changeSettings(id, { timerS: 3600 });
    await ada.changeSettings(id, { slowModeS: 60 });
    await settleAll();
    expect(await cyd.details(id)).toMatchObject({
      timerS: 3600,
      slowModeS: 60,
      rights: { editInfo: "administrators", post: "administrators", add: "everyone" },
      may: { editInfo: false, post: false },
    });
    await expect(ben.changeSettings(id, { name: "Ours" })).rejects.toMatchObject({ code: "not_permitted" });
    await expect(ben.changeSettings(id, { rights: { post: "everyone" } })).rejects.toMatchObject({ code: "not_permitted" });

    await expect(ada.leave(id)).rejects.toMatchObject({ code: "last_owner" });
    await expect(ada.setRole(id, [await idOf(ada)], "member")).rejects.toMatchObject({ code: "last_owner" });
    expect((await ada.details(id)).successors.map(({ username }) => username).toSorted()).toEqual(["ben", "cyd"]);
    await ada.setRole(id, [await idOf(ben), await idOf(cyd)], "administrator");
    await settleAll();
    expect(await rolesIn(cyd, id)).toEqual({ ada: "owner", ben: "administrator", cyd: "administrator" });
    expect(await newest(cyd, id)).toBe("role_changed");
    await ada.setRole(id, [await idOf(cyd)], "owner");
    await settleAll();
    await ada.leave(id);
    await expect.poll(async () => await rolesIn(cyd, id)).toEqual({ ben: "administrator", cyd: "owner" });
    await cyd.removeMembers(id, [await idOf(ben)]);
    await settleAll();
    expect(await rolesIn(cyd, id)).toEqual({ cyd: "owner" });
  });

  test("in slow mode has everybody wait between two messages but those who manage it, and says for how long", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"], name: "Choir" });
    await settleAll();
    await ben.send(id, "before it was slow");
    await settleAll();
    await ada.changeSettings(id, { slowModeS: 3600 });
    await settleAll();
    const again = ben.send(id, "twice");
    await expect(again).rejects.toMatchObject({ code: "rate_limited", canRetry: true });
    await expect(again).rejects.toThrow(/^In this group everybody waits 3600 s between messages: write again in 3[56]\d\d s\.$/);
    for (const text of ["I lead", "and write as I like"]) await ada.send(id, text);
    await settleAll();
    expect(await newest(ben, id)).toBe("text");
    await ada.changeSettings(id, { slowModeS: 1 });
    await settleAll();
    await expect
      .poll(
        () =>
          ben.send(id, "and on").then(
            () => "sent",
            (error: { code: string }) => error.code,
          ),
        { interval: 300 },
      )
      .toBe("sent");
    await ada.changeSettings(id, { slowModeS: 0 });
    await settleAll();
    for (const text of ["one", "two"]) await ben.send(id, text);
    await settleAll();
    expect(await newest(ada, id)).toBe("text");
  });

  test("whose owner's account is deleted belongs to the administrator with the lowest leaf", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben", "cyd"], name: "Choir" });
    await settleAll();
    await ada.setRole(id, [await idOf(cyd)], "administrator");
    await settleAll();
    await ada.deleteAccount();
    await expect.poll(async () => await rolesIn(ben, id)).toEqual({ ben: "member", cyd: "owner" });
    expect(await rolesIn(cyd, id)).toEqual({ ben: "member", cyd: "owner" });
  });
});
