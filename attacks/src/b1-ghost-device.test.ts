// B1 | ghost device added silently | P
// Source: Levy and Robinson 2018 ("ghost proposal"); open letter of 47
// Counter-measure: chain signed by devices; shown to peers
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { forgeDevice, forgePop, forgeState, newestState, sortedDevices } from "./testing/forge.ts";
import { alarmOf, hear, host, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("B1 a ghost device is added to somebody's account", () => {
  test("the operator lists a device of its own in the public record: contacts refuse it, its owner's client stops and says so", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await ben.jump(3000);
    const [account, ghost] = [record.named("ben"), await forgeDevice()];
    const devices = sortedDevices([...newestState(account).state.devices, ghost.entry]);
    const listed = await forgeState(account, { devices }, ghost.secretKey);
    await record.publish({ ...account, states: [listed], pops: [await forgePop(account, ghost)], bindings: [] });

    // Who meets the account now takes none of it.
    const since = scene.mark;
    const met = await refusal(cyd.client.startConversation({ to: ["ben"] }));
    expect(met.code).toBe("server_lied");
    expect(await scene.sent(cyd, since)).toBe(0);

    // Who knows it is told when the client asks again by itself, within a week, and its witnesses vouch for the record that commits to
    // the ghost; the conversation has the devices that it had.
    record.head = () => ({ cosignedMs: Date.now() + 8 * 86_400_000 });
    await ada.jump(8 * 86_400_000);
    await ada.jump(2 * 3_600_000);
    await ada.jump(2 * 3_600_000);
    const alarm = await alarmOf(ada, "server_lied");
    const [, ofBen] = (await ada.client.details(id)).members;
    expect((await ada.client.details(id)).members.map(({ deviceCount }) => deviceCount)).toEqual([1, 1]);
    expect(ofBen?.deviceCount).toBe(1);
    await say(ada, id, "to ben alone");
    await hear(ben, id, "to ben alone");

    // The owner's own client sees a device that no device of theirs added, and sends nothing until they looked. An old head is no proof of
    // anything: this one is vouched for at the time of the owner's clock.
    record.head = () => ({ cosignedMs: Date.now() + 25 * 3_600_000 });
    await ben.jump(25 * 3_600_000);
    const told = await alarmOf(ben, "account_changed");
    const later = scene.mark;
    await ben.client.send(id, "am I alone?").catch(() => undefined);
    await ben.jump(60_000);
    expect(await scene.sent(ben, later)).toBe(0);
    shows(context, met);
    shows(context, alarm);
    shows(context, told);
  });
});
