// C14 | members shown different rosters | D
// Source: draft-ietf-keytrans-architecture
// Counter-measure: roster is the tree; as C6
import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { branch, forkAlarm, foundGroup, hasMember, otherView, publishHeads } from "./testing/branches.ts";
import type { Reply } from "./testing/operator.ts";
import { eventually, hear, refusal, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C14 members are shown different rosters", () => {
  test("an addition that one member is not shown: neither reads what the other says after it, and the record tells who is shown something else", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await foundGroup(scene);
    const dan = await scene.person("dan");
    await branch(scene, { people: [ada, ben, cyd, dan], apart: [ben] });
    await ada.client.addMembers(id, ["dan"]);
    await say(ada, id, "welcome, dan");
    await hear(dan, id, "welcome, dan");
    await settle(ben);
    expect(await hasMember(ada, id, dan)).toBe(true);
    expect(await hasMember(ben, id, dan)).toBe(false);
    // The roster is the tree that messages are encrypted for: whoever has another cannot read along by mistake.
    expect(await ben.texts(id)).not.toContain("welcome, dan");
    await say(ben, id, "who is here?");
    expect(await dan.texts(id)).not.toContain("who is here?");

    await publishHeads(scene, [ben]);
    const toldBen = await forkAlarm(ben);
    const since = scene.mark;
    expect((await refusal(ben.client.send(id, "a secret"))).code).toBe("log_fork");
    expect(await scene.written(ben, since)).toBe(0);
    await otherView(ada, id, ben);
    expect(await ada.alarms()).toEqual([]);
    shows(context, toldBen);
    shows(context, "a line: the device of ben spoke of another version of this conversation");
  });

  test("the hidden addition comes later, after one's own message: the head that it names is not this log's", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await foundGroup(scene);
    await branch(scene, { people: [ada, ben, cyd], apart: [ben] });
    const newest = new Map<string, Extract<Reply, { kind: "entry" }>>();
    scene.operator.override({
      reply({ person }, body) {
        if (body.kind === "entry" && toBase64Url(body.logId) === id) newest.set(person, body);
        return body;
      },
    });
    await say(ada, id, "said on the first branch");
    await say(ben, id, "said on the second branch");
    // The operator puts what Ada wrote after it behind Ben's message in his log: both are of one epoch, so that he can open it.
    await say(ada, id, "and on");
    await hear(cyd, id, "and on");
    const [seenByCyd, seenByBen] = [newest.get("cyd"), newest.get("ben")];
    if (seenByCyd === undefined || seenByBen === undefined) throw new Error("both were sent entries");
    scene.operator.tell({ person: "ben", role: "log" }, { ...seenByCyd, seq: seenByBen.seq + 1 });
    await eventually(async () => (await ben.texts(id)).includes("and on"), "ben was sent it");
    // What a message says of the log is a reason to look at the record, and no more.
    expect(await ben.alarms()).toEqual([]);
    await publishHeads(scene, [ben]);
    // A look that falls together with a lost connection is taken again an hour later.
    const alarm = await forkAlarm(ben);
    const since = scene.mark;
    expect((await refusal(ben.client.send(id, "a secret"))).code).toBe("log_fork");
    expect(await scene.written(ben, since)).toBe(0);
    shows(context, alarm);
  });
});
