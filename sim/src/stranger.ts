import { decode } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { sealInboxItem } from "@latchkey/client/testing";
import { inboxItemKinds, noCapability } from "@latchkey/protocol";
import { accountIdOf, accountStateCodec, deviceCardCodec, signedCodec } from "@latchkey/transparency";
import type { DeviceCard } from "@latchkey/transparency";
import { RawPeer } from "./raw-peer.ts";
import type { Move } from "./script.ts";
import { host, maxStrangerItems } from "./world.ts";
import type { World } from "./world.ts";

const who = "a stranger";
const node = createNodePlatform();
const dayMs = 86_400_000;

/** What anybody can find out of somebody whose name they know. */
interface Victim {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly card: DeviceCard;
}

async function findVictim(world: World, username: string): Promise<Victim | undefined> {
  const peer = new RawPeer(world.network, { who, role: "lookup" });
  try {
    const found = await peer.ask({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
    const [first] = found?.kind === "account" ? found.states : [];
    if (first === undefined) return undefined;
    const { body } = decode(signedCodec, first);
    const [accountId, device] = [accountIdOf(body), decode(accountStateCodec, body).devices[0]];
    if (device === undefined) return undefined;
    const shown = await peer.ask({ kind: "lookup_card", accountId, deviceId: device.deviceId });
    if (shown?.kind !== "card") return undefined;
    return { accountId, deviceId: device.deviceId, card: decode(deviceCardCodec, decode(signedCodec, shown.card).body) };
  } finally {
    peer.close();
  }
}

/** An item with a head and a body of the stranger's choice, sealed for the victim as any sender's would be. */
async function sealFor(
  world: World,
  { card, deviceId }: Victim,
  head: { kind: number; senderHost?: string; sender?: Uint8Array; body?: Uint8Array },
): Promise<Uint8Array> {
  const { chance, timeline } = world;
  const keys = await node.crypto.suite(0x0001).generateSignatureKeyPair(chance.bytes);
  return sealInboxItem({
    platform: { ...node, random: chance.bytes },
    sender: {
      host: head.senderHost ?? host,
      accountId: head.sender ?? chance.bytes(32),
      deviceId: chance.bytes(16),
      secretKey: keys.secretKey,
    },
    recipient: { host, deviceId, inboxId: card.inboxId, inboxKey: card.inboxKey },
    kind: head.kind,
    body: head.body ?? chance.bytes(chance.between(1, 2000)),
    itemId: chance.bytes(16),
    notAfterMs: timeline.nowMs + 20 * dayMs,
  });
}

/** @param guess what an item shows as the inbox's capability */
async function post(world: World, { card }: Victim, items: readonly Uint8Array[], guess = (): Uint8Array => noCapability): Promise<void> {
  const peer = new RawPeer(world.network, { who, role: "post" });
  const { inboxId } = card;
  // Strangers have accounts, too.
  const tokens = await Promise.all(items.map(() => world.token("stranger_post", inboxId)));
  await Promise.all(
    items.map((blob, i) => peer.ask({ kind: "post", inboxId, capability: guess(), blob, token: tokens[i] ?? new Uint8Array(0) })),
  );
  peer.close();
}

const attempts: readonly { readonly name: string; make(world: World, victim: Victim): Promise<Uint8Array[]> }[] = [
  { name: "posts junk", make: async (world) => Array.from({ length: 20 }, () => world.chance.bytes(512)) },
  {
    name: "posts what nobody sent",
    make: async (world, victim) => [await sealFor(world, victim, { kind: world.chance.between(0, 9) })],
  },
  {
    name: "posts a Welcome into nothing",
    make: async (world, victim) => [await sealFor(world, victim, { kind: inboxItemKinds.welcome })],
  },
  {
    name: "posts from a host of its own",
    make: async (world, victim) => [await sealFor(world, victim, { kind: inboxItemKinds.welcome, senderHost: "elsewhere.example" })],
  },
  {
    name: "posts in the victim's own name",
    make: async (world, victim) => [await sealFor(world, victim, { kind: inboxItemKinds.history, sender: victim.accountId })],
  },
  {
    name: "posts in a friend's name",
    async make(world, victim) {
      const friend = await findVictim(world, world.chance.pick([...world.people.keys()]));
      const kinds = Object.values(inboxItemKinds);
      return friend === undefined ? [] : [await sealFor(world, victim, { kind: world.chance.pick(kinds), sender: friend.accountId })];
    },
  },
];

/** What a stranger does who knows nothing but names. */
export const stranger: readonly Move[] = [
  ...attempts.map((attempt): Move => ({
    name: `a stranger ${attempt.name}`,
    weight: 2,
    run(world) {
      void (async () => {
        const victim = await findVictim(world, world.chance.pick([...world.people.keys()]));
        if (victim !== undefined) await post(world, victim, await attempt.make(world, victim));
      })();
    },
  })),
  {
    name: "a stranger fills an inbox",
    weight: 2,
    run(world) {
      void (async () => {
        const victim = await findVictim(world, world.chance.pick([...world.people.keys()]));
        if (victim === undefined) return;
        const { chance } = world;
        const items = Array.from({ length: maxStrangerItems + 20 }, () => chance.bytes(256));
        await post(world, victim, items, () => (chance.happens(0.5) ? noCapability : chance.bytes(32)));
      })();
    },
  },
  {
    name: "a stranger takes key packages",
    weight: 2,
    run(world) {
      void (async () => {
        const victim = await findVictim(world, world.chance.pick([...world.people.keys()]));
        if (victim === undefined) return;
        const { accountId, deviceId } = victim;
        const peer = new RawPeer(world.network, { who, role: "lookup" });
        const tokens = await Promise.all(Array.from({ length: 40 }, () => world.token("key_package", deviceId)));
        await Promise.all(tokens.map((token) => peer.ask({ kind: "take_key_package", accountId, deviceId, token })));
        peer.close();
      })();
    },
  },
];
