// C18 | a private failure planted for one member (bad path secret) | D
// Source: RFC 9420 section 15
// Counter-measure: complaint in the log, and one commit of another member lets it back in (G-4, G-5)
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { begun, eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

describe("C18 a commit that one member alone cannot follow", () => {
  test("the others go on, it says whose change it cannot read, and is let back in; what was said meanwhile arrives", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("mal"),
    ];
    const id = await begun([ada, ben, cyd, mal], "Allotment");
    using insider = await Insider.take(scene, mal, id);
    const adds = [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(3) })];
    expect((await insider.post(await insider.forge({ adds, cheats: cyd }))).kind).toBe("accepted");
    await eventually(async () => (await linesOf(cyd, id, "complaint")).length === 1, "cyd says that it cannot read the change");
    expect((await linesOf(cyd, id, "complaint")).map(({ author }) => author?.username)).toEqual(["mal"]);
    // The insider's own device is none of its account: the owner removes it, and nothing is sent before.
    await ada.client.removeMembers(id, [mal.accountId]);
    await eventually(async () => (await cyd.client.details(id)).conversation.stop === undefined, "cyd is let back in");
    await eventually(async () => (await cyd.client.details(id)).members.length === 3, "cyd sees who is in");
    await say(ada, id, "welcome back");
    await hear(cyd, id, "welcome back");
    await say(cyd, id, "here I am");
    await hear(ben, id, "here I am");
    expect((await linesOf(ben, id, "complaint")).length + (await linesOf(ada, id, "complaint")).length).toBeGreaterThan(0);
    shows(context, "This device cannot read a change by mal. The others were asked to let you back in.");
    shows(context, "A change by mal cannot be read by cyd");
  });

  test("[G-5] let in again more than a day later, by an invitation, it goes on like anybody", async () => {
    await using scene = await Scene.open();
    const [ada, ben, dee, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("dee"),
      await scene.person("mal"),
    ];
    const id = await begun([ada, ben, dee, mal], "Allotment");
    using insider = await Insider.take(scene, ada, id);
    await dee.client.close();
    let complaints = 0;
    scene.operator.override({
      request: (_line, body) => {
        if (body.kind === "append" && body.entryKind === "complaint") complaints += 1;
        return "pass";
      },
    });
    expect((await insider.post(await insider.forge({ removes: [insider.leafOf(mal)], cheats: ben }))).kind).toBe("accepted");
    await eventually(async () => await Promise.resolve(complaints > 0), "ben complains");
    await settle(ben);
    await ben.jump(25 * 3_600_000);
    await eventually(async () => (await ben.client.details(id)).conversation.status === "paused", "ben's stops after a day");
    const awake = await scene.reopen("dee");
    const stopOf = async (): Promise<string | undefined> => (await ben.client.details(id)).conversation.stop?.failure.code;
    await eventually(async () => {
      const [invitation] = (await ben.client.details(id)).conversation.invitations;
      if (invitation !== undefined) await ben.client.acceptInvitation(id, invitation.from.accountId);
      return (await stopOf()) === undefined;
    }, "dee lets ben in");
    const before = complaints;
    await eventually(async () => await Promise.resolve(complaints > before), "it says where it arrived");
    await say(ben, id, "a day later");
    expect(await stopOf()).toBeUndefined();
    await eventually(
      async () => (await awake.messages(id, { limit: 50 })).some(({ body }) => body.kind === "text" && body.text === "a day later"),
      "dee reads it",
    );
    expect(complaints).toBe(before + 1);
  });

  test("[G-5] [M-9] of two invitations back, whichever the person takes, they are in the group again, or asked again", async () => {
    await using scene = await Scene.open();
    const [ada, ben, cyd, dee, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("dee"),
      await scene.person("mal"),
    ];
    const id = await begun([ada, mal, ben, cyd, dee], "Allotment");
    scene.operator.setUnreachable("cyd", true);
    using insider = await Insider.take(scene, mal, id);
    const created = await insider.forge({
      adds: [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(3) })],
      cheats: cyd,
    });
    expect((await insider.post(created)).kind).toBe("accepted");
    await settle(ada, ben, dee);
    await ada.client.removeMembers(id, [dee.accountId]);
    await eventually(async () => (await dee.client.details(id)).conversation.status === "removed", "dee is out");
    await settle(ada, ben);
    // Cyd cannot follow the change; Ada lets them in where Dee is missing: they are asked.
    scene.operator.setUnreachable("ben", true);
    scene.operator.setUnreachable("cyd", false);
    const invitedBy = async (): Promise<readonly string[]> =>
      (await cyd.client.details(id)).conversation.invitations.map(({ from }) => from.username ?? "").toSorted();
    await eventually(async () => (await invitedBy()).includes("ada"), "ada asks");
    // They think about it, and their device asks once more; now it is Ben who answers.
    scene.operator.setUnreachable("ben", false);
    scene.operator.setUnreachable("ada", true);
    await settle(ben);
    await cyd.jump(11 * 60_000);
    await eventually(async () => (await invitedBy()).includes("ben"), "ben asks");
    expect(await invitedBy()).toEqual(["ada", "ben"]);
    scene.operator.setUnreachable("ada", false);
    await settle(ada, ben);
    await cyd.client.acceptInvitation(id, ada.accountId);
    await settle(ada, ben, cyd);
    const { status, invitations, stop } = (await cyd.client.details(id)).conversation;
    expect({ status, invited: invitations.length, stop: stop?.failure.code }).not.toEqual({
      status: "removed",
      invited: 0,
      stop: undefined,
    });
  }, 100_000);

  test("[G-5] two answer one complaint at the same moment, the owner second: who complained stays in", async () => {
    await using scene = await Scene.open();
    const [ada, ben, cyd, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("mal"),
    ];
    const id = await begun([ada, ben, cyd, mal], "Allotment");
    using insider = await Insider.take(scene, mal, id);
    const both = Promise.withResolvers<void>();
    const asked = new Set<string>();
    let commits = 0;
    scene.operator.override({
      async request({ person }, body) {
        if (body.kind !== "commit" || (person !== "ada" && person !== "ben")) return "pass" as const;
        commits += 1;
        if (asked.has(person)) return "pass" as const;
        asked.add(person);
        if (asked.size === 2) both.resolve();
        await both.promise;
        if (person === "ada") await delay(500);
        return "pass" as const;
      },
    });
    const adds = [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(3) })];
    expect((await insider.post(await insider.forge({ adds, cheats: cyd }))).kind).toBe("accepted");
    await eventually(async () => (await linesOf(cyd, id, "complaint")).length === 1, "cyd says that it cannot read the change");
    await eventually(async () => await Promise.resolve(asked.size === 2), "both answer");
    await delay(3000);
    const { conversation } = await cyd.client.details(id);
    expect(conversation.status).not.toBe("removed");
    expect(conversation.stop?.failure.code).not.toBe("change_unreadable");
  });
});
