// A2 | split view: the victim is shown another log | D
// Source: CONIKS; draft-ietf-keytrans-architecture
// Counter-measure: client-enforced witness quorum and maximum age; gossip inside messages
import { httpPaths } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { alarmOf, eventually, hear, host, refusal, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A2 split view", () => {
  test("another log with the ghost in it, which one witness of three signs: too few, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
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
  async function split(
    scene: Scene,
    params: { lead: number; files?: "refused" },
  ): Promise<{ ada: Person; cyd: Person; shared: string; withGhost: string }> {
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    const stop = scene.operator.override(record.override());
    const [ada, cyd] = [await scene.person("ada"), await scene.person("cyd")];
    const { id: shared } = await ada.client.startConversation({ to: ["cyd"] });
    await say(ada, shared, "hello");
    await hear(cyd, shared, "hello");
    const other = record.fork();
    stop();
    scene.operator.override(record.override({ but: ["ada"] }));
    scene.operator.override(other.override({ only: ["ada", "ghost-of-ben"] }));
    const isRefused = (person: string, path: string): boolean =>
      params.files === "refused" && person === "ada" && path.startsWith(httpPaths.directory);
    scene.operator.override({ get: (person, path) => (isRefused(person, path) ? new Response("busy", { status: 503 }) : undefined) });
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

  test("logs of different sizes: the server does not join them, and after a day what it signed for both is the evidence", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, shared, withGhost } = await split(scene, { lead: 2 });
    await say(cyd, shared, "how are you?");
    await hear(ada, shared, "how are you?");
    const checkedAtMs = async (): Promise<number> => (await ada.client.directoryStatus()).checkedAtMs;
    for (const hours of [1, 11, 11, 3]) {
      const before = await checkedAtMs();
      await ada.jump(hours * 3_600_000);
      // The server is there and shows its newest head: a server out of reach would be convicted of nothing.
      await eventually(async () => (await checkedAtMs()) > before + 3_000_000, "Ada asks the server for its newest head");
    }
    const alarm = await alarmOf(ada, "directory_fork");
    const notes = (await ada.client.alarms()).find(({ failure }) => failure.code === "directory_fork")?.evidence ?? [];
    // Whoever has the log's key verifies them: two trees of one log, both signed.
    const signed = notes.map((note) => new TextDecoder().decode(note).split("\n"));
    expect(signed.map(([origin]) => origin)).toEqual([`${host}/latchkey`, `${host}/latchkey`]);
    expect(new Set(signed.map(([, , root]) => root)).size).toBe(2);
    const since = scene.mark;
    await ada.client.send(withGhost, "a secret").catch(() => undefined);
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    await settle(cyd);
    shows(context, alarm);
  });

  test("and no file of the record at all for the victim, whose look-ups are answered: what they show is signed, and a day later convicts it", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, shared, withGhost } = await split(scene, { lead: 2, files: "refused" });
    await say(cyd, shared, "how are you?");
    await hear(ada, shared, "how are you?");
    let hours = 0;
    const alarm = await eventually(async () => {
      await ada.jump(3_600_000);
      hours++;
      return (await ada.client.alarms()).find(({ failure }) => failure.code === "directory_fork");
    }, "Ada is told");
    // Not before the day is over.
    expect(hours).toBeGreaterThanOrEqual(24);
    expect(alarm.evidence).toHaveLength(2);
    const since = scene.mark;
    await ada.client.send(withGhost, "a secret").catch(() => undefined);
    await ada.jump(60_000);
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, alarm.failure);
  });
});
