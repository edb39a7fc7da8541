import { equalBytes } from "@latchkey/codec";
import type { OwnAccount } from "../account/own-account.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import { publicKeyOf } from "./keys.ts";
import { openManifest, verifyManifest } from "./manifest.ts";
import { readManifest } from "./server.ts";
import type { HostConnection } from "./server.ts";
import { loadSeen, putFound, putFoundHashes, putSeen } from "./stored.ts";
import type { FoundBackup } from "./stored.ts";

/**
 * Looks for the backup of an account, while its backup key is at hand, and stores what reading it takes (spec B-6).
 * @throws ClientError `server_lied` where what the server shows is no backup of this account, or an older one than this device knows of
 */
export async function findBackup(params: {
  readonly store: Store;
  readonly platform: Platform;
  readonly connection: HostConnection;
  readonly own: OwnAccount;
  readonly backupKey: Uint8Array;
}): Promise<FoundBackup> {
  const { store, platform, connection, own, backupKey } = params;
  const server = await readManifest(connection);
  const none: FoundBackup = {
    stage: "none",
    generation: server.generation,
    generationKey: new Uint8Array(32),
    counter: 0,
    writtenAtMs: 0,
    messages: 0,
    chunks: 0,
    left: 0,
    restored: 0,
    missing: 0,
    unreadable: 0,
    publicKey: await publicKeyOf(platform, backupKey),
  };
  if (server.counter === 0) {
    await store.transact("write", (tx) => putFound(tx, none));
    return none;
  }
  const verified = await verifyManifest(server.manifest, own, platform);
  const opened = verified === undefined ? undefined : await openManifest(verified, backupKey, platform);
  if (verified === undefined || opened === undefined) throw lied("that no device of this account wrote");
  const { body } = verified;
  const { timeMs: writtenAtMs, messages, hashes } = opened.content;
  const isAsSaid = body.counter === server.counter && equalBytes(body.generation, server.generation) && hashes.length === server.chunks;
  if (!isAsSaid) throw lied("that is another one than it says");
  const seen = await store.transact("read", loadSeen);
  if (seen?.isOn === true && seen.counter > body.counter) throw lied("that is older than the one that was written last");
  const found: FoundBackup = {
    ...none,
    stage: "offered",
    generation: body.generation,
    generationKey: opened.generationKey,
    counter: body.counter,
    writtenAtMs,
    messages,
    chunks: hashes.length,
    left: hashes.length,
  };
  const { deviceId, counter } = body;
  await store.transact("write", async (tx) => {
    putFound(tx, found);
    putFoundHashes(tx, hashes);
    await putSeen(tx, { isOn: true, deviceId, counter, writtenAtMs, messages, sizeBytes: server.sizeBytes });
  });
  return found;
}

function lied(what: string): ClientError {
  return new ClientError("server_lied", `The server shows a backup ${what}.`);
}
