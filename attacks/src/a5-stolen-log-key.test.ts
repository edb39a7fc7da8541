// A5 | log forked after the log key is stolen | D
// Source: Certificate Transparency literature
// Counter-measure: witnesses, gossip
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { alarmOf, hear, host, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A5 a thief of the log's key shows a log of their own", () => {
  test("signed with the stolen key and by no witness: nothing of it is trusted, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    const thief = record.fork();
    thief.head = () => ({ cosignedMs: Date.now(), log: [], map: [] });
    const ghost = await addGhost(scene, "ben");
    await thief.publish(ghost.account);
    scene.operator.override(thief.override({ only: ["ada"] }));
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_stale");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("signed with another key, but by every witness: it is not this server's log", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    const thief = record.fork();
    thief.signWith(new Uint8Array(32).fill(7));
    const ghost = await addGhost(scene, "ben");
    await thief.publish(ghost.account);
    scene.operator.override(thief.override({ only: ["ada"] }));
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_unproven");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("with the key and a quorum of witnesses stolen too: the next message of a contact is the alarm", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    const stop = scene.operator.override(record.override());
    const [ada, cyd] = [await scene.person("ada"), await scene.person("cyd")];
    const { id } = await ada.client.startConversation({ to: ["cyd"] });
    await say(ada, id, "hello");
    await hear(cyd, id, "hello");
    const thief = record.fork();
    thief.head = () => ({ cosignedMs: Date.now(), log: [0, 1], map: [0, 1] });
    stop();
    scene.operator.override(record.override({ but: ["ada"] }));
    scene.operator.override(thief.override({ only: ["ada"] }));
    const ghost = await addGhost(scene, "ben");
    await thief.publish(ghost.account);
    await ada.client.resolve("ben");
    await scene.person("dan");
    await cyd.client.resolve("dan");
    await say(cyd, id, "how are you?");
    await hear(ada, id, "how are you?");
    await ada.jump(30_000);
    const alarm = await alarmOf(ada, "directory_fork");
    const since = scene.mark;
    await ada.client.startConversation({ to: ["ben"] }).catch(() => undefined);
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, alarm);
  });
});
