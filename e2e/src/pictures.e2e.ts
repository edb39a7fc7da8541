import { greyJpeg } from "@latchkey/client/testing";
import type { Client, ClientEvent } from "@latchkey/client";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { clientsOfEachTest } from "./testing/clients.ts";

const people = clientsOfEachTest();
const { open, register, reopen, settleAll } = people;

const idOf = async (client: Client): Promise<string> => (await client.account())?.accountId ?? "";
const [one, other] = [greyJpeg({ widthPx: 512, shade: 100 }), greyJpeg({ widthPx: 256, shade: 150 })];
const shows = async (client: Client, id: string): Promise<"one" | "other" | "none"> => {
  const bytes = Buffer.from((await client.picture(id))?.bytes ?? new Uint8Array(0));
  return bytes.equals(one) ? "one" : bytes.equals(other) ? "other" : "none";
};
const sees = async (client: Client, id: string, what: "one" | "other" | "none"): Promise<void> => {
  await expect.poll(() => shows(client, id)).toBe(what);
};

/** Files of all blobs on the server's disk. */
function blobFiles(): readonly string[] {
  const root = people.folder.at("data", "blobs");
  return readdirSync(root, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

describe("[X-21] pictures", () => {
  test("a group's is set by who may, seen by all and by who joins, kept by who has it, and brought back by telling it again", async () => {
    const [ada, ben, cyd, dee] = [await register("ada"), await register("ben"), await register("cyd"), await register("dee")];
    const { id } = await ada.startConversation({ to: ["ben"], name: "Choir" });
    await settleAll();
    const told: ClientEvent[] = [];
    ben.subscribe((event) => (event.kind === "picture" ? told.push(event) : 0));
    await ada.setGroupPicture(id, one);
    await sees(ben, id, "one");
    expect(told).toContainEqual({ kind: "picture", id });
    await ada.addMembers(id, ["cyd"]);
    await settleAll();
    await sees(cyd, id, "one");

    // The host loses all that it has. Who saw it shows it still, over a restart too.
    expect(blobFiles().length).toBeGreaterThan(0);
    for (const path of blobFiles()) expect(readFileSync(path).includes(one.subarray(0, 100))).toBe(false);
    for (const path of blobFiles()) rmSync(path);
    const again = await reopen(ada, "ada");
    await settleAll();
    for (const client of [again, ben, cyd]) expect(await shows(client, id)).toBe("one");
    // Whoever adds somebody tells it again, and has it.
    await again.addMembers(id, ["dee"]);
    await settleAll();
    await sees(dee, id, "one");

    await again.setRole(id, [await idOf(ben)], "administrator");
    await settleAll();
    await again.changeSettings(id, { rights: { editInfo: "owner" } });
    await settleAll();
    for (const client of [ben, dee]) await expect(client.setGroupPicture(id, other)).rejects.toMatchObject({ code: "not_permitted" });
    await expect(again.setGroupPicture(id, other)).rejects.toMatchObject({ code: "rate_limited" });
    const { id: garden } = await again.startConversation({ to: ["ben"], name: "Garden" });
    await expect(again.setGroupPicture(garden, new Uint8Array(9))).rejects.toMatchObject({ code: "invalid_setting" });
  });

  test("one's own is another blob in each conversation, is told again to who joins, and comes to a new device", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben"], name: "Choir" });
    await ada.startConversation({ to: ["cyd"], name: "Garden" });
    await settleAll();
    await ada.setPicture(one);
    const adaId = await idOf(ada);
    await sees(ben, adaId, "one");
    await sees(cyd, adaId, "one");
    // The one that her devices know, and one for each group.
    expect(blobFiles()).toHaveLength(3);

    const laptop = await open("laptop");
    const { code } = await laptop.offerLink({ deviceName: "Laptop" });
    const linked = new Promise<void>((resolve) => {
      laptop.subscribe((event) => {
        if (event.kind !== "link") return;
        if (event.state.kind === "compare") void laptop.confirmLink(true);
        if (event.state.kind === "done") resolve();
      });
      ada.subscribe((event) => {
        if (event.kind === "link" && event.state.kind === "compare") void ada.confirmLink(true);
      });
    });
    await ada.acceptLink(code);
    await linked;
    await settleAll();
    await sees(laptop, adaId, "one");
    // Set there, it is everywhere.
    await laptop.setPicture(other);
    for (const client of [ada, ben, cyd]) await sees(client, adaId, "other");
    await ada.setPicture(undefined);
    for (const client of [laptop, ben, cyd]) await sees(client, adaId, "none");
    expect((await ada.conversations()).find((conversation) => conversation.id === id)?.status).toBe("active");
  });

  test("nobody's words wait for a picture: set while the server is away, it is told once that is back", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await settleAll();
    const adaId = await idOf(ada);
    await people.server[Symbol.asyncDispose]();
    await ada.setPicture(one);
    await ada.send(id, "written while it was away");
    expect(await shows(ada, adaId)).toBe("one");
    await people.restart();
    ada.wake();
    ben.wake();
    const texts = async (): Promise<readonly string[]> =>
      (await ben.messages((await ben.conversations())[0]?.id ?? "", { limit: 20 })).flatMap(({ body }) =>
        body.kind === "text" ? [body.text] : [],
      );
    await expect.poll(texts).toContain("written while it was away");
    await expect
      .poll(
        async () => {
          ada.wake();
          return await shows(ben, adaId);
        },
        { interval: 1000 },
      )
      .toBe("one");
  });
});
