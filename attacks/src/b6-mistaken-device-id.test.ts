// B6 | device id confused with another kind of key | P
// Source: CVE-2022-39250
// Counter-measure: typed, domain-separated ids
import { describe, expect, test } from "vitest";
import { deviceIdOf } from "@latchkey/transparency";
import { FalseRecord } from "./testing/false-record.ts";
import { forgeAccount, forgeDevice, forgePop, forgeState, newestState } from "./testing/forge.ts";
import { addGhost } from "./testing/ghost.ts";
import { askAsIs } from "./testing/operator.ts";
import { host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("B6 a device id that is something else's", () => {
  test("a device whose id is the account's, or of the recovery key, and not of its own key: refused", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("ben")];
    const account = record.named("ben");
    const { state } = newestState(account);
    const ids = {
      "the account's id": account.accountId.slice(0, 16),
      "the id of the recovery key": deviceIdOf(state.recoveryKey),
      "the id of the true device": state.devices[0]?.deviceId,
    };
    const since = scene.mark;
    for (const [what, deviceId] of Object.entries(ids)) {
      const other = record.fork();
      const device = await forgeDevice(deviceId);
      const forged = await forgeState(account, { devices: [device.entry] }, device.secretKey);
      await other.publish({ ...account, states: [forged], pops: [await forgePop(account, device)], bindings: [] });
      const stop = scene.operator.override(other.override());
      const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
      expect(failure.code, what).toBe("server_lied");
      shows(context, failure);
      stop();
    }
    expect(await scene.sent(ada, since)).toBe(0);
  });

  test("a stranger's account whose device goes by the id of somebody's true device: refused, though every signature is right", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("ben")];
    const [trueDevice] = newestState(record.named("ben")).state.devices;
    await record.publish(await forgeAccount("mal", await forgeDevice(trueDevice?.deviceId)));
    await record.publish(await forgeAccount("eve", await forgeDevice()));
    const since = scene.mark;
    const failure = await refusal(ada.client.resolve("mal"));
    expect(failure.code).toBe("server_lied");
    // With an id of its own it would do.
    await expect(ada.client.resolve("eve")).resolves.toMatchObject({ username: "eve" });
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("key packages and cards of a ghost under the true device's id: refused, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await ben.client.settle();
    const ghost = await addGhost(scene, "ben");
    const [device] = newestState(ghost.account).state.devices;
    if (device === undefined) throw new Error("a ghost has a device");
    const room = scene.backRooms[0]?.url ?? "";
    const { accountId } = ghost.account;
    const token = new Uint8Array(0);
    for (const part of ["keyPackage", "card", "both"] as const) {
      const taken = await askAsIs(room, "lookup", { kind: "take_key_package", accountId, deviceId: device.deviceId, token });
      if (taken.kind !== "key_package") throw new Error("the ghost has key packages");
      const stop = scene.operator.override({
        reply(line, body) {
          if (line.person !== "ada" || body.kind !== "key_package") return body;
          return part === "both" ? taken : { ...body, [part]: taken[part] };
        },
      });
      const since = scene.mark;
      const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
      expect(failure.code, part).toBe("invalid_key_package");
      expect(await scene.sent(ada, since)).toBe(0);
      shows(context, failure);
      stop();
    }
  });
});
