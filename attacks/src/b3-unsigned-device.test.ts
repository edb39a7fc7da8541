// B3 | device registered with a stolen account key | P
// Source: "Help, my Signal has bad device" 2021 (common knowledge)
// Counter-measure: no shared account key; each device signs for itself
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { decode, encode } from "@latchkey/codec";
import { deviceReplyCodec, deviceRequestCodec, socketPath, subprotocol } from "@latchkey/protocol";
import type { DeviceReply, DeviceRequest } from "@latchkey/protocol";
import type { AccountState } from "@latchkey/transparency";
import { FalseRecord } from "./testing/false-record.ts";
import type { ShownAccount } from "./testing/false-record.ts";
import { forgeDevice, forgePop, forgeState, newestState, sortedDevices } from "./testing/forge.ts";
import type { ForgedDevice } from "./testing/forge.ts";
import { host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Every way to name a signer of a state that adds a device, without the key of one that was there before. */
const signers: Readonly<Record<string, (account: ShownAccount, device: ForgedDevice) => AccountState["signer"]>> = {
  "the new device itself": (_, device) => ({ kind: "device", deviceId: device.entry.deviceId }),
  "a device that was there, by another key": (account) => newestState(account).state.signer,
  "the recovery key, by another key": () => ({ kind: "recovery" }),
};

/** A state that adds a device, signed by the operator. */
async function forged(account: ShownAccount, signer: (typeof signers)[string]): Promise<{ state: Uint8Array; pop: Uint8Array }> {
  const device = await forgeDevice();
  const devices = sortedDevices([...newestState(account).state.devices, device.entry]);
  const state = await forgeState(account, { devices, signer: signer(account, device) }, device.secretKey);
  return { state, pop: await forgePop(account, device) };
}

describe("B3 a device that no device of the account signed for", () => {
  test("is refused by contacts, however its state is signed, even when the public record has it", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("ben")];
    const since = scene.mark;
    for (const [how, signer] of Object.entries(signers)) {
      const other = record.fork();
      const account = other.named("ben");
      const { state, pop } = await forged(account, signer);
      await other.publish({ ...account, states: [state], pops: [pop], bindings: [] });
      const stop = scene.operator.override(other.override());
      const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
      expect(failure.code, how).toBe("server_lied");
      shows(context, failure);
      stop();
    }
    expect(await scene.sent(ada, since)).toBe(0);
  });

  test("is refused by an honest server too: nobody but the account's devices can publish for it", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    await scene.person("ben");
    const account = record.named("ben");
    for (const [how, signer] of Object.entries(signers)) {
      const { state, pop } = await forged(account, signer);
      const reply = await publish(scene.server.url, { kind: "publish", state, pops: [pop], bindings: [] });
      expect(reply, how).toMatchObject({ kind: "error", code: "invalid_account_state" });
    }
    shows(context, "the server refuses the state");
  });
});

async function publish(url: string, body: DeviceRequest): Promise<DeviceReply> {
  const socket = new WebSocket(url.replace(/^http/, "ws") + socketPath("device"), subprotocol);
  try {
    return await new Promise<DeviceReply>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data: Buffer) => {
        const reply = decode(deviceReplyCodec, new Uint8Array(data)).body;
        if (reply.kind === "hello") socket.send(encode(deviceRequestCodec, { id: 1, body }));
        else resolve(reply);
      });
    });
  } finally {
    socket.terminate();
  }
}
