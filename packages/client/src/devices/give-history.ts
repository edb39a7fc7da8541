import { encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { inboxItemKinds } from "@latchkey/protocol";
import type { DeviceEntry } from "@latchkey/transparency";
import { entryOrder } from "../core/order.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { encryptBlob, putBlob } from "../group/blobs.ts";
import type { ArchivedConversation } from "./archive.ts";
import { historyNoticeCodec } from "./import.ts";
import { deleteLinkTask } from "./link-task.ts";
import { takeFrom } from "./own-joiners.ts";

/**
 * Writes the history for a device that was added everywhere, and tells it where that is; the task of its linking is done then. Whether it
 * could be told.
 * @param params `onProgress`: how many conversations are written
 * @throws ClientError
 */
export async function giveHistory(params: {
  world: World;
  runners: readonly ConversationRunner[];
  device: DeviceEntry;
  onProgress: (done: number) => void;
}): Promise<boolean> {
  const { world, runners, device, onProgress } = params;
  const { store, platform, connections, own, posts } = world;
  const { manifestCodec, writeArchive } = await import("./archive.ts");
  const blobs = { platform, baseUrl: connections.httpUrl(own.host) };
  const manifest = await writeArchive({
    store,
    platform,
    conversations: await archivedFor(device, runners, toBase64Url(own.accountId)),
    upload: (reference, ciphertext) => putBlob(blobs, reference.blobId, ciphertext),
    onProgress,
  });
  const plaintext = encode(manifestCodec, manifest);
  const { reference, ciphertext } = encryptBlob({ plaintext, random: platform.random, sha256: platform.sha256 });
  await putBlob(blobs, reference.blobId, ciphertext);
  const taken = await takeFrom(world, device);
  if (taken === undefined) return false;
  const { inboxId, inboxKey } = taken.card;
  await store.transact("write", async (tx) => {
    const body = encode(historyNoticeCodec, { format: 1, manifest: reference });
    const recipient = { host: own.host, accountId: own.accountId, deviceId: device.deviceId, inboxId, inboxKey };
    await posts.putItem(tx, { recipient, kind: inboxItemKinds.history, body });
    deleteLinkTask(tx, device.deviceId);
  });
  await posts.deliver();
  return true;
}

/** What the archive holds, newest first; lines beyond the commit that added the device it reads by itself. */
async function archivedFor(
  device: DeviceEntry,
  runners: readonly ConversationRunner[],
  ownAccount: string,
): Promise<ArchivedConversation[]> {
  const { archivedOf } = await import("./archive.ts");
  const found: ArchivedConversation[] = [];
  for (const runner of runners) {
    await runner.load();
    const archived = archivedOf(runner.state);
    if (archived === undefined) continue;
    const { roster, epoch } = runner.state;
    const leaves = roster?.accounts.get(ownAccount) ?? [];
    const isIn = leaves.some((leaf) => equalBytes(leaf.deviceId, device.deviceId));
    const lastOrder = isIn && epoch !== undefined ? entryOrder(epoch.epochId) - 1 : archived.lastOrder;
    found.push({
      ...archived,
      lastOrder: Math.max(lastOrder, 0),
      membership: archived.membership === "joined" && !isIn ? "removed" : archived.membership,
    });
  }
  return found.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
}
