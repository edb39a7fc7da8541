import { greyJpeg } from "@latchkey/client/testing";
import type { Client } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { clientsOfEachTest } from "./testing/clients.ts";

const { open, register, reopen, settleAll } = clientsOfEachTest();

/** What a person is shown by: a grey square, by its shade. */
const shadeOf = async (client: Client, id: string): Promise<number | undefined> => {
  const picture = await client.picture(id);
  return shades.find((shade) => Buffer.from(greyJpeg({ widthPx: 64, shade })).equals(picture?.bytes ?? new Uint8Array(0)));
};
const shades = [100, 150] as const;
const grey = (shade: (typeof shades)[number]): Uint8Array => greyJpeg({ widthPx: 64, shade });
const nameIn = async (client: Client, id: string, username: string): Promise<string | undefined> =>
  (await client.details(id)).members.find(({ person }) => person.username === username)?.person.displayName;

describe("[X-21] how a person is shown", () => {
  test("name and picture that are changed are told to those in their conversations, and to who joins with the next message", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben"], name: "Choir" });
    await settleAll();
    const adaId = (await ada.account())?.accountId ?? "";
    expect(await ben.picture(adaId)).toBeUndefined();

    await ada.changeProfile({ displayName: "Ada of the choir" });
    await ada.setPicture(grey(100));
    expect((await ada.account())?.displayName).toBe("Ada of the choir");
    await expect.poll(() => shadeOf(ben, adaId)).toBe(100);
    expect(await nameIn(ben, id, "ada")).toBe("Ada of the choir");
    expect(await shadeOf(ada, adaId)).toBe(100);

    await ada.addMembers(id, ["cyd"]);
    await settleAll();
    expect(await cyd.picture(adaId)).toBeUndefined();
    await ada.send(id, "welcome");
    await expect.poll(() => shadeOf(cyd, adaId)).toBe(100);
    expect(await nameIn(cyd, id, "ada")).toBe("Ada of the choir");

    // Taken away again, and back to the username: that is told too.
    await ada.changeProfile({ displayName: "ada" });
    await ada.setPicture(undefined);
    await expect.poll(() => nameIn(ben, id, "ada")).toBe("ada");
    await expect.poll(() => ben.picture(adaId)).toBeUndefined();

    await expect(ada.changeProfile({ displayName: "\u200B" })).rejects.toMatchObject({ code: "invalid_setting" });
    for (const wrong of [new Uint8Array(0), greyJpeg({ widthPx: 64, heightPx: 56 }), greyJpeg({ widthPx: 520 })])
      await expect(ada.setPicture(wrong)).rejects.toMatchObject({ code: "invalid_setting" });
    expect((await (await reopen(ada, "ada")).account())?.displayName).toBe("ada");
  });

  test("a name of any length is cut to what is shown, and the profile opens again with it", async () => {
    const long = ["x".repeat(300), "\u{1F469}\u200D\u{1F680}".repeat(100), `e${"\u0301".repeat(3)}`.repeat(75)].map((name) =>
      name.normalize("NFC"),
    );
    for (const [at, displayName] of long.entries()) {
      const username = `long${String(at)}`;
      const client = await open(username);
      await client.register({ username, displayName });
      const shown = (await client.account())?.displayName ?? "";
      expect([...shown].length).toBeLessThanOrEqual(64);
      expect(displayName.startsWith(shown.slice(0, 20))).toBe(true);
      const other = long.at(at - 1) ?? "";
      await client.changeProfile({ displayName: other });
      const changed = (await client.account())?.displayName ?? "";
      expect(other.startsWith(changed.slice(0, 20))).toBe(true);
      expect((await (await reopen(client, username)).account())?.displayName).toBe(changed);
    }
  });

  test("what is known of somebody says which groups both are in, whether they are blocked and what was compared; of a stranger, nothing", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben", "cyd"], name: "Choir" });
    const { id: other } = await ada.startConversation({ to: ["ben"], name: "Garden" });
    await ada.startConversation({ to: ["cyd"], name: "Not with Ben" });
    await settleAll();
    const of = async (client: Client): Promise<string> => (await client.account())?.accountId ?? "";
    const known = await ada.aboutPerson(await of(ben));
    expect(known).toMatchObject({ person: { username: "ben", isSelf: false }, deviceCount: 1, isBlocked: false, mark: "none" });
    expect(known.groups.toSorted()).toEqual([id, other].toSorted());
    await ada.block(await of(ben));
    await ada.markVerified(await of(ben), true);
    await ada.removeMembers(other, [await of(ben)]);
    expect(await ada.aboutPerson(await of(ben))).toMatchObject({ isBlocked: true, mark: "verified", groups: [id] });
    expect(await ada.aboutPerson(await of(ada))).toMatchObject({ person: { isSelf: true }, deviceCount: 1 });
    const stranger = await register("stranger");
    for (const unknown of [await of(stranger), "?", ""])
      await expect(cyd.aboutPerson(unknown)).rejects.toMatchObject({ code: "unknown_user" });
  });
});
