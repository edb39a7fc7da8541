import { createServer } from "node:net";
import type { Server } from "node:net";
import { once } from "node:events";
import { concatBytes, decode, encode, fromBase64Url, uint32 } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { hostCodec, inboxPlaintextCodec, sealedItemCodec } from "@latchkey/protocol";
import type { InboxHead } from "@latchkey/protocol";
import { deviceCardCodec, signedCodec } from "@latchkey/transparency";
import type { DeviceCard } from "@latchkey/transparency";
import { newestState } from "./forge.ts";
import { ask } from "./operator.ts";
import { host } from "./scene.ts";
import type { Person, Scene } from "./scene.ts";

const platform = createNodePlatform();
const bucket = 4096;

/** Where somebody's device is written to: everybody may ask. */
export async function cardOf(scene: Scene, person: Person): Promise<DeviceCard> {
  const { url } = scene.server;
  const accountId = fromBase64Url(person.accountId);
  const found = await ask(url, "lookup", {
    kind: "lookup_account",
    accountId,
    fromVersion: 0,
    knownSize: 0,
    accountValues: 0,
    nameValues: 0,
  });
  if (found.kind !== "account") throw new Error("everybody is in the record");
  const { states, pops, bindings } = found;
  const [device] = newestState({ accountId, username: person.name, states, pops, bindings }).state.devices;
  const answer = await ask(url, "lookup", { kind: "lookup_card", accountId, deviceId: device?.deviceId ?? new Uint8Array(16) });
  if (answer.kind !== "card") throw new Error("a device has a card");
  return decode(deviceCardCodec, decode(signedCodec, answer.card).body);
}

/** An item as anybody may seal it, without an account: the head says what it likes, and nobody signed it. */
export async function sealUnsigned(card: DeviceCard, head: Partial<InboxHead>): Promise<Uint8Array> {
  const plaintext = encode(inboxPlaintextCodec, {
    head: {
      format: 1,
      kind: 1,
      senderHost: host,
      senderAccountId: platform.random(32),
      senderDeviceId: platform.random(16),
      recipientDeviceId: card.deviceId,
      itemId: platform.random(16),
      notAfterMs: Date.now() + 20 * 86_400_000,
      ...head,
    },
    signature: platform.random(64),
    body: platform.random(100),
  });
  const padded = new Uint8Array(bucket - 2 - (2 + 1120) - 2 - 16);
  padded.set(plaintext);
  const sealed = await platform.crypto.suite(0xf001).hpkeSeal({
    publicKey: card.inboxKey,
    info: new TextEncoder().encode("latchkey/inbox/1"),
    aad: concatBytes(encode(hostCodec, host), card.inboxId, encode(uint32, bucket)),
    plaintext: padded,
    random: platform.random,
  });
  return encode(sealedItemCodec, { format: 1, ...sealed });
}

/** Puts an item into an inbox, as anybody may. */
export async function postTo(scene: Scene, card: DeviceCard, blob: Uint8Array): Promise<void> {
  if ((await tryToPost(scene, card, { blob })) !== "done") throw new Error("the server took it");
}

/** As `postTo`, with this capability where there is one; gives `done` or the code of the refusal. */
export async function tryToPost(
  scene: Scene,
  { inboxId }: DeviceCard,
  { blob = platform.random(512), capability = new Uint8Array(32) }: { blob?: Uint8Array; capability?: Uint8Array } = {},
): Promise<string> {
  const answer = await ask(scene.server.url, "post", { kind: "post", inboxId, capability, blob, token: new Uint8Array(0) });
  return answer.kind === "error" ? answer.code : answer.kind;
}

/** A host that somebody would be led to: it counts who comes. */
export interface Trap extends AsyncDisposable {
  readonly host: string;
  readonly visits: number;
}

export async function setTrap(): Promise<Trap> {
  let visits = 0;
  const server: Server = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    host: `localhost:${String(address.port)}`,
    get visits() {
      return visits;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
