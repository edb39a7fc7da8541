// A2 | split view: the victim is shown another log | D
// Source: CONIKS; draft-ietf-keytrans-architecture
// Counter-measure: client-enforced witness quorum and maximum age; gossip inside messages
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { alarmOf, hear, host, refusal, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const dayMs = 86_400_000;

describe("A2 split view", () => {
  test("another log with the ghost in it, which one witness of three signs: too few, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    const other = record.fork();
    other.head = () => ({ cosignedMs: Date.now(), log: [0], map: [0] });
    const ghost = await addGhost(scene, "ben");
    await other.publish(ghost.account);
    scene.operator.override(other.override({ only: ["ada"] }));
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_stale");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  /** Ada and Cyd talk; then Ada is shown a log of her own with a ghost in it, and believes it. */
  async function split(scene: Scene, params: { lead: number }): Promise<{ ada: Person; cyd: Person; shared: string; withGhost: string }> {
    const record = await FalseRecord.create({ host, witnesses: 0, threshold: 0 });
    const stop = scene.operator.override(record.override());
    const [ada, cyd] = [await scene.person("ada"), await scene.person("cyd")];
    const { id: shared } = await ada.client.startConversation({ to: ["cyd"] });
    await say(ada, shared, "hello");
    await hear(cyd, shared, "hello");
    const other = record.fork();
    stop();
    scene.operator.override(record.override({ but: ["ada"] }));
    scene.operator.override(other.override({ only: ["ada", "ghost-of-ben"] }));
    for (let at = 0; at <= params.lead; at++) await scene.person(`new${at}`);
    const ghost = await addGhost(scene, "ben");
    const { id: withGhost } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, withGhost, "for ben");
    await hear(ghost.person, withGhost, "for ben");
    // Cyd looks somebody up, so that she has a newer head too.
    await cyd.client.resolve("new0");
    return { ada, cyd, shared, withGhost };
  }

  test("no witnesses, and a contact who sees another log of the same size: the next message between them is the alarm, and nothing more goes to the ghost", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, shared, withGhost } = await split(scene, { lead: 0 });
    await say(cyd, shared, "how are you?");
    await hear(ada, shared, "how are you?");
    await ada.jump(30_000);
    const alarm = await alarmOf(ada, "directory_fork");
    const since = scene.mark;
    await ada.client.send(withGhost, "a secret").catch(() => undefined);
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, alarm);
  });

  test("logs of different sizes: no proof joins them, and after a day that is the alarm", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, shared, withGhost } = await split(scene, { lead: 2 });
    await say(cyd, shared, "how are you?");
    await hear(ada, shared, "how are you?");
    for (const hours of [1, 12, 12, 2]) {
      await ada.jump((hours * dayMs) / 24);
      await ada.client.settle().catch(() => undefined);
    }
    const alarm = await alarmOf(ada, "directory_fork");
    const since = scene.mark;
    await ada.client.send(withGhost, "a secret").catch(() => undefined);
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    await settle(cyd);
    shows(context, alarm);
  });
});
