// C32 | a leaf in a member's name that the member's account never had: it writes, and leaves, as that member | P
// Source: found by trying, 2026-11-28
// Counter-measure: of a refused leaf nothing is shown or done, and who manages takes it out; of one not judged yet a text says so, is judged again, and a leave waits (E-28, G-8); where nothing can be found out for minutes that is told, with the ways on (E-69)
import { createNodePlatform } from "@latchkey/client/node";
import { describe, expect, test } from "vitest";
import { GhostLeaf } from "./testing/ghost-leaf.ts";
import { Insider } from "./testing/insider.ts";
import { begun, eventually, hear, messageOf, refusal, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const said = "I owe Ada a thousand. Ben";
const notOfItsAccount = "It is by a device that does not belong to the account that it names.";

/** A group that Mal may add to, and a leaf in Ben's name in it whose keys Mal has. */
async function haunted(
  scene: Scene,
  before: () => void = () => undefined,
): Promise<{ ada: Person; ben: Person; id: string; insider: Insider; ghost: GhostLeaf }> {
  const [mal, ada, ben] = [await scene.person("mal"), await scene.person("ada"), await scene.person("ben")];
  const { id } = await mal.client.startConversation({ to: ["ada", "ben"], name: "Allotment" });
  await say(mal, id, "hello");
  for (const person of [ada, ben]) await hear(person, id, "hello");
  await settle(mal, ada, ben);
  before();
  const insider = await Insider.take(scene, mal, id);
  const ghost = await GhostLeaf.add(insider, { ...insider.identityOf(ben), deviceId: random(16) });
  return { ada, ben, id, insider, ghost };
}

async function stopCode({ client }: Person, id: string): Promise<string | undefined> {
  return (await client.details(id)).conversation.stop?.failure.code;
}

describe("C32 a leaf in a member's name that the member's account never had", () => {
  test("refused: what it writes and that it leaves is two lines of nobody's; Ben stays, and nothing is sent until his device took it out", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, insider, ghost } = await haunted(scene, () => scene.operator.setUnreachable("ben", true));
    using _ = insider;
    await eventually(async () => (await stopCode(ada, id)) === "device_unproven", "ada is told of the device");
    await ghost.text(said);
    await ghost.leave();
    const readsNothing = async (person: Person): Promise<void> => {
      for (const { body, author } of await linesOf(person, id, "unreadable")) {
        expect({ body, author }).toEqual({ body: { kind: "unreadable", reason: notOfItsAccount }, author: undefined });
      }
      expect(await person.texts(id)).not.toContain(said);
      expect(await linesOf(person, id, "left")).toEqual([]);
      expect(await linesOf(person, id, "misnumbered")).toEqual([]);
      expect((await person.client.details(id)).members.map(({ person: { username } }) => username)).toContain("ben");
    };
    await eventually(async () => (await linesOf(ada, id, "unreadable")).length === 2, "ada has read both");
    await readsNothing(ada);
    const since = scene.mark;
    const { id: waiting } = await ada.client.send(id, "a secret");
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    expect((await messageOf(ada, id, waiting))?.delivery?.kind).toBe("pending");
    const { hold } = await ada.client.verification(id);
    expect(hold?.code).toBe("device_unproven");
    scene.operator.setUnreachable("ben", false);
    ben.client.wake();
    await hear(ben, id, "a secret");
    await readsNothing(ben);
    await settle(ada, ben);
    const kinds = (await ada.client.messages(id, { limit: 100 })).map(({ body }) => body.kind);
    expect(kinds.lastIndexOf("device_removed")).toBeGreaterThan(kinds.lastIndexOf("unreadable"));
    const { conversation, members } = await ada.client.details(id);
    expect(conversation.stop).toBeUndefined();
    expect(members.map(({ deviceCount }) => deviceCount)).toEqual([1, 1, 1]);
    if (hold !== undefined) shows(context, hold);
    shows(context, `unreadable, of nobody: ${notOfItsAccount}`);
  });

  test("before the host proves it: its text is marked and its leave waits; once it is refused neither is Ben's", async (context) => {
    await using scene = await Scene.open();
    // Mal's operator gives Ada no answer about anybody for a while, and Ben's device, which would take it out, sleeps.
    let stop = (): void => undefined;
    const silence = (): void => {
      scene.operator.setUnreachable("ben", true);
      stop = scene.operator.override({
        request: ({ person }, { kind }) => (person === "ada" && kind === "lookup_account" ? "drop" : "pass"),
      });
    };
    const { ada, id, insider, ghost } = await haunted(scene, silence);
    using _ = insider;
    await ghost.text(said);
    await ghost.leave();
    await hear(ada, id, said);
    const marked = (await linesOf(ada, id, "text")).find(({ body }) => body.kind === "text" && body.text === said);
    expect(marked).toMatchObject({ doubt: "unproven", author: { username: "ben" } });
    await ada.jump(120_000);
    expect(await linesOf(ada, id, "left")).toEqual([]);
    expect((await ada.client.details(id)).members.map(({ person: { username } }) => username)).toContain("ben");
    stop();
    await eventually(async () => {
      await ada.jump(3_600_000);
      await ada.rest();
      return (await linesOf(ada, id, "alarm")).length > 0;
    }, "the host answers, and ada is told of the device");
    expect(await ada.texts(id)).toEqual(["hello"]);
    const judged = (await ada.client.messages(id, { limit: 100 })).find((message) => message.id === marked?.id);
    expect(judged).toMatchObject({ body: { kind: "unreadable", reason: notOfItsAccount }, author: undefined });
    for (const kind of ["left", "misnumbered", "other_view"] as const) expect(await linesOf(ada, id, kind)).toEqual([]);
    expect((await ada.client.details(id)).members.map(({ person: { username } }) => username)).toContain("ben");
    shows(context, "the text, with: whether this is Ben's device is being checked; then unreadable, of nobody");
  });

  test("[G-8] whoever manages the group takes it out by one click, and nobody else; what waited is sent", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal]) await hear(person, id, "hello");
    await settle(ada, ben, mal);
    using insider = await Insider.take(scene, mal, id);
    await GhostLeaf.add(insider, { ...insider.own, deviceId: random(16) });
    for (const person of [ada, ben])
      await eventually(async () => (await stopCode(person, id)) === "device_unproven", "they are told of it");
    const removable = async ({ client }: Person): Promise<readonly (string | undefined)[] | undefined> =>
      (await client.details(id)).conversation.stop?.removable.map(({ username }) => username);
    expect([await removable(ada), await removable(ben)]).toEqual([["mal"], []]);
    await ben.client.send(id, "it waits");
    expect((await refusal(ben.client.removeUnproven(id))).code).toBe("not_permitted");
    await ada.client.removeUnproven(id);
    await hear(ada, id, "it waits");
    expect((await refusal(ada.client.removeUnproven(id))).code).toBe("not_permitted");
    const { conversation, members } = await ben.client.details(id);
    expect(conversation.stop).toBeUndefined();
    expect(members.map(({ person, deviceCount }) => `${person.username} ${deviceCount}`).toSorted()).toEqual(["ada 1", "ben 1", "mal 1"]);
    shows(context, "Remove the device in the name of mal");
  });

  test("[E-69] [E-2] of accounts that nobody has: asked about less and less often, told after minutes, and there is a way on", async (context) => {
    await using scene = await Scene.open();
    const [mal, ada, ben] = [await scene.person("mal"), await scene.person("ada"), await scene.person("ben")];
    const id = await begun([mal, ada, ben], "Allotment");
    using insider = await Insider.take(scene, mal, id);
    const count = 12;
    const ghosts = Array.from({ length: count }, () => ({ ...insider.own, accountId: random(32), deviceId: random(16) }));
    await insider.post(await insider.forge({ adds: await Promise.all(ghosts.map((ghost) => insider.keyPackage(ghost))) }));
    await eventually(async () => (await ada.client.details(id)).members.length === 3 + count, "ada follows");
    const { id: waiting } = await ada.client.send(id, "hello?");
    const lookUps = (): number => scene.operator.seen.filter(({ person, kind }) => person === "ada" && kind === "lookup_account").length;
    for (let round = 0; round < 20; round++) {
      await ada.jump(31_000);
      await ada.rest();
    }
    // In ten minutes at once and after 30 s, 1, 2 and 4 minutes; one more for what is between the jumps.
    expect(lookUps()).toBeLessThanOrEqual(6 * count);
    const { failure, removable } = await eventually(async () => (await ada.client.details(id)).conversation.stop, "ada is told");
    expect([failure.code, removable, await ada.alarms()]).toEqual(["directory_unproven", [], []]);
    expect((await refusal(ada.client.removeUnproven(id))).code).toBe("not_permitted");
    expect((await messageOf(ada, id, waiting))?.delivery?.kind).toBe("pending");
    const { conversation, unreachable } = await ada.client.continueConversation(id);
    expect(unreachable).toHaveLength(count);
    await say(ada, conversation.id, "here");
    await hear(ben, conversation.id, "here");
    shows(context, failure);
  });
});
