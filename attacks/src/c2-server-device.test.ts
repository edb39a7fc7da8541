// C2 | server adds a device under its control and gets the keys | P
// Source: Albrecht, Celi, Dowling, Jones on Matrix
// Counter-measure: as C1, leaf must stand in the directory
import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import type { Reply } from "./testing/operator.ts";
import { alarmOf, eventually, hear, host, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C2 the server puts a device of its own into a group", () => {
  test("a commit of the server's in the log: nobody follows it, and nothing is sent to whom it would add", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    let newest: Extract<Reply, { kind: "entry" }> | undefined;
    scene.operator.override({
      reply({ person }, body) {
        if (person === "ada" && body.kind === "entry" && toBase64Url(body.logId) === id) newest = body;
        return body;
      },
    });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await settle(ada, ben);
    if (newest === undefined) throw new Error("there is an entry");
    // The server has no key of the epoch: what it can put there is of its own making.
    const { logId, seq, epochId, day } = newest;
    const blob = new Uint8Array(1024).map((_, at) => at % 251);
    const forged: Reply = {
      kind: "entry",
      logId,
      seq: seq + 1,
      epochId,
      entryKind: "commit",
      day,
      nextAccessHash: blob.slice(0, 32),
      blob,
    };
    scene.operator.tell({ person: "ada", role: "log" }, forged);
    await eventually(
      async () => (await ada.client.messages(id, { limit: 20 })).some(({ body }) => body.kind === "skipped"),
      "ada is told that somebody sent a change that nobody can use",
    );
    // What the server says of the log from now on is another one: that is waited out by name, and nothing goes out meanwhile.
    const since = scene.mark;
    const waiting = await ada.client.send(id, "a secret");
    const stop = await eventually(async () => (await ada.client.details(id)).conversation.stop, "the server has another log");
    expect(await scene.sent(ada, since)).toBe(0);
    expect(waiting.delivery?.kind).toBe("pending");
    expect((await ada.client.details(id)).conversation.memberCount).toBe(2);
    shows(context, "Someone's app sent a change that nobody can use");
    shows(context, stop.failure);
  });

  test("a member who was shown a ghost in another record adds it: the others see that it is not in theirs, and send nothing", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    const stop = scene.operator.override(record.override());
    const [ada, mal] = [await scene.person("ada"), await scene.person("mal")];
    const { id } = await mal.client.startConversation({ to: ["ada"], name: "Allotment" });
    await say(mal, id, "hello");
    await hear(ada, id, "hello");
    const other = record.fork();
    stop();
    scene.operator.override(record.override({ but: ["mal"] }));
    scene.operator.override(other.override({ only: ["mal", "ghost-of-ben"] }));
    await scene.person("ben");
    const ghost = await addGhost(scene, "ben");
    await mal.client.addMembers(id, ["ben"]);
    await say(mal, id, "ben is here");
    await hear(ghost.person, id, "ben is here");

    const alarm = await alarmOf(ada, "directory_fork");
    const { hold } = await ada.client.verification(id);
    expect(hold?.code).toBe("directory_fork");
    const since = scene.mark;
    await ada.client.send(id, "a secret");
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    expect(await ghost.person.texts(id)).toEqual(["ben is here"]);
    shows(context, alarm);
    if (hold !== undefined) shows(context, hold);
  });
});
