// D45 | what was to be sent at a time is sent twice, or never: the server holds back what the device that claimed it sends, and lets it go when another one has sent | P
// Source: PROTOCOL.md section 7, X-15
// Counter-measure: the first claim in the devices' log counts for a minute, and two devices make the same bytes, which count once (X-15, X-5, E-282)
import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { begun, eventually, foundPair, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const text = "happy birthday";

async function withTablet(scene: Scene): Promise<{ ada: Person; ben: Person; tablet: Person; id: string }> {
  const { ada, ben, id } = await foundPair(scene);
  const tablet = await scene.device(ada, "tablet");
  await eventually(async () => (await tablet.client.conversations()).some((one) => one.id === id), "it has the conversation");
  await settle(ada, ben, tablet);
  return { ada, ben, tablet, id };
}

const copies = async (person: Person, id: string): Promise<number> => (await person.texts(id)).filter((one) => one === text).length;

describe("[E-282] D45 sent at a time, by two devices", () => {
  test("whichever device is on sends it: once, and neither has it waiting then", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, tablet, id } = await withTablet(scene);
    await ada.client.schedule(id, text, { atMs: Date.now() + 3000 });
    await eventually(async () => (await tablet.client.scheduled(id)).length === 1, "the other device has it");
    expect(await copies(ben, id)).toBe(0);
    await eventually(async () => (await copies(ben, id)) === 1, "it is sent");
    for (const device of [ada, tablet]) {
      await eventually(async () => (await device.client.scheduled()).length === 0, "it waits no more");
      expect(await copies(device, id)).toBe(1);
    }
    // The one that it was written on is off.
    await ada.client.schedule(id, "and many more", { atMs: Date.now() + 3000 });
    await eventually(async () => (await tablet.client.scheduled(id)).length === 1, "the other device has it");
    await ada.client.close();
    await eventually(async () => (await ben.texts(id)).includes("and many more"), "the other one sends it");
    shows(context, "each is sent once, the second by the device that is left");
  });

  test("the server holds the claimant's message back until another device has sent it: it counts once for everybody", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, tablet, id } = await withTablet(scene);
    let holds: string | undefined;
    const stop = scene.operator.override({
      request({ person }, body) {
        if (body.kind !== "append" || toBase64Url(body.logId) !== id) return "pass";
        holds ??= person;
        return holds === person ? "drop" : "pass";
      },
    });
    await ada.client.schedule(id, text, { atMs: Date.now() + 3000 });
    await eventually(async () => holds !== undefined, "a device sends");
    const [held, other] = holds === "ada" ? [ada, tablet] : [tablet, ada];
    expect(await copies(ben, id)).toBe(0);
    // The minute of the claim is over.
    await other.jump(70_000);
    await eventually(async () => (await copies(ben, id)) === 1, "the other device sends it");
    stop();
    await held.client.close();
    const back = await scene.reopen(held.name);
    await back.settle({ timeoutMs: 20_000 });
    await settle(ben);
    expect(await copies(ben, id)).toBe(1);
    expect((await back.messages(id, { limit: 100 })).filter(({ body }) => body.kind === "text" && body.text === text)).toHaveLength(1);
    expect([await ben.alarms(), await other.alarms()]).toEqual([[], []]);
    shows(context, "two entries of the log, one message");
  });

  test("two that are due in the same moment are both sent, each once; one that is said is neither late nor sent again", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const atMs = Date.now() + 3000;
    for (const one of [text, "and many more"]) await ada.client.schedule(id, one, { atMs });
    await eventually(async () => (await ben.texts(id)).includes(text) && (await ben.texts(id)).includes("and many more"), "both are sent");
    // Before the list is looked at again the program ends, and comes back when they would be late.
    await ada.client.close();
    const back = await scene.reopen("ada");
    await eventually(async () => (await back.scheduled()).length === 0, "neither waits any more");
    await settle(ben);
    const came = (await ben.texts(id)).filter((one) => one === text || one === "and many more");
    expect(came.toSorted()).toEqual(["and many more", text].toSorted());
    shows(context, "two messages");
  });

  test("[X-15] nobody is told unasked who was added after it was written; what was taken back is not sent", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const id = await begun([ada, ben], "Surprise");
    await settle(ada, ben);
    const planned = await ada.client.schedule(id, text, { atMs: Date.now() + 60_000 });
    const dropped = await ada.client.schedule(id, "never mind", { atMs: Date.now() + 60_000 });
    await ada.client.addMembers(id, ["mal"]);
    await settle(ada, ben, mal);
    await ada.client.cancelScheduled(dropped.id);
    await settle(ada, ben, mal);
    await ada.jump(61_000);
    await eventually(
      async () => (await ada.client.scheduled()).some(({ failure }) => failure?.code === "members_changed"),
      "it is asked about",
    );
    expect([await copies(ben, id), await copies(mal, id)]).toEqual([0, 0]);
    await ada.client.sendScheduledNow(planned.id);
    await eventually(async () => (await copies(mal, id)) === 1, "it is sent to them too");
    expect((await ben.texts(id)).includes("never mind")).toBe(false);
    // A conversation that is deleted takes along what was to be said there.
    await ada.client.schedule(id, "and again", { atMs: Date.now() + 3_600_000 });
    await ada.client.deleteConversation(id);
    expect(await ada.client.scheduled()).toEqual([]);
    shows(context, "asked first, and sent when the person says so");
  });

  test("an hour late it is asked about, and goes when the person says so", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const planned = await ada.client.schedule(id, text, { atMs: Date.now() + 60_000 });
    scene.operator.override({ request: ({ person }) => (person === "ada" && isCut ? "drop" : "pass") });
    let isCut = true;
    await ada.jump(3_800_000);
    await eventually(async () => (await ada.client.scheduled()).some(({ state }) => state === "late"), "it is late");
    isCut = false;
    expect(await copies(ben, id)).toBe(0);
    await ada.client.sendScheduledNow(planned.id);
    await eventually(async () => (await copies(ben, id)) === 1, "it is sent now");
    await eventually(async () => (await ada.client.scheduled()).length === 0, "it waits no more");
    shows(context, "nothing is sent by itself, and one message when it was asked");
  });
});
