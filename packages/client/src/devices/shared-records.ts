import { CodecError, fromBase64Url } from "@latchkey/codec";
import { isMark, markPrefix } from "../engine/account-news.ts";
import { ownAppendSecretKey } from "../engine/append-secrets.ts";
import { standingPrefix } from "../engine/standings.ts";
import type { World } from "../engine/world.ts";
import { putSeen, seenKey } from "../history-backup/stored.ts";

/** A record that another device of one's own wrote; what is none of those that all devices share is left alone. @throws ClientError of the store */
export async function takeSharedRecord(world: World, key: string, value: Uint8Array | undefined): Promise<void> {
  if (isOfAccount(key, standingPrefix)) {
    // By when it was said, so that all devices end with the same.
    if (value !== undefined) await world.standings.take(key, value).catch(ignoreMalformed);
    return;
  }
  if (key === seenKey) {
    const isNews = value !== undefined && (await world.store.transact("write", (tx) => putSeen(tx, value)).catch(ignoreMalformed)) === true;
    if (isNews) world.emit({ kind: "history_backup" });
    return;
  }
  if (key === ownAppendSecretKey) {
    if (value !== undefined) await world.appendSecrets.takeOwn(value).catch(ignoreMalformed);
    return;
  }
  if (!isOfAccount(key, markPrefix) || (value !== undefined && !isMark(value))) return;
  await world.store.transact("write", (tx) => (value === undefined ? tx.delete(key) : tx.put(key, value.slice())));
  world.emit({ kind: "verification" });
  world.emit({ kind: "alarms" });
}

/** Whether a key is one of those with this prefix, which name an account each. */
function isOfAccount(key: string, prefix: string): boolean {
  if (!key.startsWith(prefix)) return false;
  try {
    return fromBase64Url(key.slice(prefix.length)).length === 32;
  } catch {
    return false;
  }
}

/** What is malformed is left alone; anything else is thrown on. */
export function ignoreMalformed(error: unknown): void {
  if (!(error instanceof CodecError)) throw error;
}
