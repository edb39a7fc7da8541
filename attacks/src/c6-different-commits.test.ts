// C6 | different commits to different members | D
// Source: RFC 9750
// Counter-measure: heads of logs published in the transparency log (PROTOCOL L-10, L-11)
import { describe, expect, test } from "vitest";
import { branch, foundGroup, hasMember, publishHeads } from "./testing/branches.ts";
import { alarmOf, hear, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C6 different commits to different members", () => {
  test("two members commit on two branches and cannot read each other: the public record tells both, and both stop", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await foundGroup(scene);
    const [dan, eve] = [await scene.person("dan"), await scene.person("eve")];
    await branch(scene, { people: [ada, ben, cyd, dan, eve], apart: [ben] });
    await ada.client.addMembers(id, ["dan"]);
    await ben.client.addMembers(id, ["eve"]);
    expect([await hasMember(ada, id, eve), await hasMember(ben, id, dan)]).toEqual([false, false]);
    await say(ada, id, "on the first branch");
    await say(ben, id, "on the second branch");
    await hear(cyd, id, "on the first branch");
    expect(await ben.texts(id)).not.toContain("on the first branch");

    await publishHeads(scene, [ben]);
    const toldBen = await alarmOf(ben, "log_fork");
    // Ben's client tells the others by their inboxes: on two branches nobody can read what the other says.
    const toldAda = await alarmOf(ada, "log_fork");
    await alarmOf(cyd, "log_fork");
    const since = scene.mark;
    for (const person of [ada, ben, cyd]) {
      expect((await person.client.details(id)).conversation.status).toBe("paused");
      expect((await refusal(person.client.send(id, "a secret"))).code).toBe("log_fork");
      expect(await scene.written(person, since)).toBe(0);
    }
    shows(context, toldBen);
    shows(context, toldAda);
  });
});
