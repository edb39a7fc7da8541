// A1 | key substitution at first contact | D
// Source: Apple contact key verification; draft-ietf-keytrans-architecture
// Counter-measure: proof in the public log before the first encryption; safety number
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("[P4] A1 key substitution at first contact", () => {
  test("a ghost's keys under somebody's name, with the proof of the true account: refused before anything is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    await scene.person("ben");
    const ghost = await addGhost(scene, "ben");
    scene.operator.override({
      async request({ person }, body) {
        if (person !== ada.name || body.kind !== "lookup_username" || body.username !== "ben") return "pass";
        const { states, pops, bindings } = ghost.account;
        return { answer: { kind: "account", states, pops, bindings, proof: await record.proof(record.named("ben"), body.knownSize) } };
      },
    });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_unproven");
    expect(await ada.client.conversations()).toEqual([]);
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("the ghost stands in the record too, after the true account: the name changed hands, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    await scene.person("ben");
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("name_changed_hands");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("the record is another one for the victim, with the ghost in it: the safety numbers on both screens differ", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    const stop = scene.operator.override(record.override());
    const ada = await scene.person("ada");
    const other = record.fork();
    stop();
    scene.operator.override(record.override({ only: ["ben"] }));
    scene.operator.override(other.override({ only: ["ada"] }));
    const ben = await scene.person("ben");
    const ghost = await addGhost(scene, "ben");
    await other.publish(ghost.account);
    // Nothing on this device can tell: this is what the comparison in person is for, and the gossip of A2.
    const met = await ada.client.resolve("ben");
    expect(met.accountId).toBe(ghost.person.accountId);
    await ben.client.resolve("ada");
    const [onAdas, onBens] = [await ada.client.safetyNumber(met.accountId), await ben.client.safetyNumber(ada.accountId)];
    expect(onAdas.groups).not.toEqual(onBens.groups);
    expect(await ben.client.scanSafetyNumber(ada.accountId, onAdas.code)).toBe("differs");
    expect(await ada.client.scanSafetyNumber(met.accountId, onBens.code)).not.toBe("match");
    shows(context, "the safety numbers on both screens differ");
  });
});
