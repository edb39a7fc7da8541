// A3 | swap a key briefly, then restore it | D
// Source: draft-ietf-keytrans-architecture
// Counter-measure: chains only extend; the owner checks each version
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { forgeDevice, forgePop, forgeState } from "./testing/forge.ts";
import { addGhost } from "./testing/ghost.ts";
import { alarmOf, foundPair, host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A3 a key is swapped briefly, then restored", () => {
  test("a name is given to a ghost and back: who asks later sees that it changed hands, and its owner is alarmed", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await ben.jump(3000);
    const true1 = record.named("ben");
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    await record.publish({ ...true1, states: [], pops: [] });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("name_changed_hands");
    expect(await scene.sent(ada, since)).toBe(0);
    await ben.jump(25 * 3_600_000);
    const alarm = await alarmOf(ben, "account_changed");
    shows(context, failure);
    shows(context, alarm);
  });

  test("an account gets a state with a ghost's key, and then one without it: contacts refuse both, and the owner is alarmed", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const { ada, ben, id } = await foundPair(scene);
    await ben.jump(3000);
    const [account, device] = [record.named("ben"), await forgeDevice()];
    const swapped = await forgeState(account, { devices: [device.entry] }, device.secretKey);
    const pops = [await forgePop(account, device)];
    await record.publish({ ...account, states: [swapped], pops, bindings: [] });
    const restored = await forgeState({ ...account, states: [swapped] }, {}, device.secretKey);
    await record.publish({ ...account, states: [restored], pops: [], bindings: [] });
    // After eight days Ada asks anew.
    const since = scene.mark;
    await ada.jump(8 * 86_400_000);
    const failure = await refusal(ada.client.resolve("ben"));
    expect(failure.code).toBe("server_lied");
    expect((await ada.client.verification(id)).members.flatMap(({ devices }) => devices).length).toBe(2);
    expect(await scene.sent(ada, since)).toBe(0);
    await ben.jump(25 * 3_600_000);
    const alarm = await alarmOf(ben, "account_changed");
    shows(context, failure);
    shows(context, alarm);
  });
});
