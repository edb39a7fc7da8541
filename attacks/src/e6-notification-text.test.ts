// E6 | what the system keeps of notifications is read on a device that was taken: who wrote, and what, also what is gone from the messenger | P
// Source: 404 Media 2026 (texts of a messenger in a telephone's database of notifications, after it was removed)
// Counter-measure: a notification says that something came and no more, unless its person chose otherwise; never what is to go or to be seen once, and nothing with a lock (O-20, O-22)
import type { Message } from "@latchkey/client";
import { newsOf } from "@latchkey/web/news";
import type { News } from "@latchkey/web/news";
import { takeWords } from "@latchkey/web/text";
import { describe, expect, test } from "vitest";
import { foundPair, hear, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

takeWords({
  locale: "en",
  locales: "en",
  messages: { "app.notices.some": ["New messages"], "app.notices.one": ["New message"], "app.notices.several": ["Several new messages"] },
});

const texts = ["the marmalade is under the lighthouse", "burn the blue ledger"] as const;

/** All that a browser is given to show, and so may write to its disk. */
const handedOver = ({ notices }: News): string => JSON.stringify(notices);

describe("E6 what the system keeps of notifications", () => {
  test("nothing that was said and nobody's name is in it, unless the person chose that", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const came: Message[] = [];
    ben.client.subscribe((event) => void (event.kind === "message" && event.isNew && came.push(event.message)));
    for (const text of texts) {
      await say(ada, id, text);
      await hear(ben, id, text);
    }
    await settle(ben);
    const told = async (depth: "nothing" | "name" | "text"): Promise<string> =>
      handedOver(await newsOf(ben.client, { came, depth, counts: new Map(), nowMs: Date.now() }));
    const { accountId, client } = ada;
    const names = [accountId, (await client.account())?.displayName ?? "ada"];
    const usual = await told("nothing");
    expect(usual).toContain("New messages");
    for (const secret of [...texts, ...names]) expect(usual).not.toContain(secret);
    // What this is about: chosen, they are there.
    expect(await told("name")).toContain(names[1]);
    expect(await told("text")).toContain(texts[1]);
    shows(context, "that something came, and the random id of where a press leads");
  });

  test("what is to go after a time is not in it, whatever the person chose, and nothing is of it once it is gone", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    await ada.client.changeSettings(id, { timerS: 3600 });
    await settle(ada, ben);
    const came: Message[] = [];
    ben.client.subscribe((event) => void (event.kind === "message" && event.isNew && came.push(event.message)));
    await say(ada, id, texts[0]);
    await hear(ben, id, texts[0]);
    await settle(ben);
    const told = async (): Promise<string> =>
      handedOver(await newsOf(ben.client, { came, depth: "text", counts: new Map(), nowMs: Date.now() }));
    expect(await told()).toContain("New message");
    expect(await told()).not.toContain(texts[0]);
    await ben.jump(31 * 86_400_000);
    expect(await told()).toBe("[]");
    shows(context, "a new message without a word of it, and none once its time was over");
  });
});
