// C37 | a member says that others read or type, or floods with it; the server makes, keeps back and repeats signals | P
// Source: FEATURES.md X-12, N-1, R-1 to R-4
// Counter-measure: a receipt is its signer's word and one place of each account is kept; a signal is sealed by the epoch's key, not newer than the last is not new, and shows for some seconds (X-12, N-1, E-102, E-103)
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { ClientEvent } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";
import { createStatusContent } from "@latchkey/protocol";
import type { ContentHead } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import type { Reply } from "./testing/operator.ts";
import { eventually, hear, messageOf, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const head = (): ContentHead => ({ salt: random(16), sentAtMs: Date.now() });

const isTyping = (told: readonly ClientEvent[]): boolean => told.some((event) => event.kind === "typing" && event.count > 0);

function listen(person: Person): ClientEvent[] {
  const told: ClientEvent[] = [];
  person.client.subscribe((event) => void told.push(event));
  return told;
}

describe("C37 receipts and signals that are not true", () => {
  test("a member's receipts are of that member alone, and a flood of them is no message, counts as unread nowhere, and keeps nobody's words back", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada", { receipts: true }), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "who has the key?");
    for (const person of [ben, mal]) await hear(person, id, "who has the key?");
    await settle(ada, ben, mal);
    const asked = (await ada.client.messages(id, { limit: 50 })).find(({ body }) => body.kind === "text");
    if (asked === undefined) throw new Error("the message is there");
    const before = await ada.client.messages(id, { limit: 500 });
    const of = (messageId: Uint8Array, status: "delivered" | "read"): Uint8Array =>
      createStatusContent({ ...head(), statuses: [{ messageId, status }] });
    const nowhere = new Uint8Array(32).fill(7, 1).fill(1, 0, 1);
    await writeAs(scene, mal, id, [
      { plaintext: of(nowhere, "read") },
      ...Array.from({ length: 150 }, () => ({ plaintext: of(fromBase64Url(asked.id), "read") })),
    ]);
    await say(ben, id, "I have");
    await hear(ada, id, "I have");
    await settle(ada);
    const info = await ada.client.messageInfo(id, asked.id);
    expect(info.readBy.map(({ username }) => username)).toEqual(["mal"]);
    const after = await ada.client.messages(id, { limit: 500 });
    expect(after.length).toBe(before.length + 1);
    const shown = (await ada.client.conversations()).find((conversation) => conversation.id === id);
    expect([shown?.unreadCount, shown?.receipts.map(({ person }) => person.username)]).toEqual([1, ["mal"]]);
    expect(await ada.client.alarms()).toEqual([]);
    shows(context, "beside the message: read by mal, and by nobody else");
  });

  test("signals that the server makes, changes, keeps back or repeats show nobody as typing", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await settle(ada, ben);
    const seen: Extract<Reply, { kind: "signal" }>[] = [];
    let isKeptBack = false;
    scene.operator.override({
      reply({ person }, body) {
        if (body.kind !== "signal" || person !== "ada" || toBase64Url(body.logId) !== id) return body;
        seen.push(body);
        return isKeptBack ? { ...body, bytes: body.bytes.map((byte) => byte ^ 1) } : body;
      },
    });
    const told = listen(ada);
    await ben.client.typing(id, true);
    await eventually(() => Promise.resolve(isTyping(told)), "ada sees that ben types");
    const [first] = seen;
    if (first === undefined) throw new Error("a signal was seen");
    const { id: messageId } = await ben.client.send(id, "here");
    await hear(ada, id, "here");
    await eventually(async () => (await messageOf(ben, id, messageId))?.delivery?.kind === "accepted", "it is there");
    await eventually(() => Promise.resolve(told.some((event) => event.kind === "typing" && event.count === 0)), "ben is done");
    told.length = 0;
    // Repeated, made up, of another epoch, and one of ben's with other bytes.
    for (let count = 0; count < 50; count++) {
      scene.operator.tell({ person: "ada", role: "log" }, first);
      scene.operator.tell({ person: "ada", role: "log" }, { ...first, bytes: random(256) });
      scene.operator.tell({ person: "ada", role: "log" }, { ...first, epochId: first.epochId + count });
    }
    isKeptBack = true;
    await ben.client.typing(id, true);
    await say(ben, id, "and on");
    await hear(ada, id, "and on");
    expect(isTyping(told)).toBe(false);
    expect(await ada.client.alarms()).toEqual([]);
    shows(context, "nothing: nobody is shown as typing");
  });
});
