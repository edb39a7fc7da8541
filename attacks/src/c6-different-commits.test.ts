// C6 | different commits to different members | D
// Source: RFC 9750
// Counter-measure: heads of logs published in the transparency log (PROTOCOL L-10, L-11)
import { describe, expect, test } from "vitest";
import { branch, forkAlarm, foundGroup, hasMember, otherView, publishHeads } from "./testing/branches.ts";
import { hear, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C6 different commits to different members", () => {
  test("two members commit on two branches and cannot read each other: the public record tells whose is not the one for everybody", async (context) => {
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
    const toldBen = await forkAlarm(ben);
    const since = scene.mark;
    expect((await ben.client.details(id)).conversation.status).toBe("paused");
    expect((await refusal(ben.client.send(id, "a secret"))).code).toBe("log_fork");
    expect(await scene.written(ben, since)).toBe(0);
    // Ben's client tells the others by their inboxes: on two branches nobody can read what the other says. To them the record shows their
    // own log, so that they go on, and know that something else is shown to Ben, or said by him.
    for (const person of [ada, cyd]) {
      await otherView(person, id, ben);
      expect((await person.client.details(id)).conversation.status).toBe("active");
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, toldBen);
    shows(context, "a line: the device of ben spoke of another version of this conversation");
  });
});
