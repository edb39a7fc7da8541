import type { RecoveryPassphrase } from "@latchkey/client";
import { read, write } from "../state/preferences.ts";

const seenKey = "latchkey.passphrase-seen";

/** Whether there is something to be told of the account's passphrase that was not seen in this browser (spec A-14). */
export function isNews(now: RecoveryPassphrase): boolean {
  return (now.tries > 0 || now.openedMs !== undefined) && read(seenKey) !== nameOf(now);
}

/** The person has seen it. */
export function rememberSeen(now: RecoveryPassphrase): void {
  write(seenKey, nameOf(now));
}

/** Numbers and days alone, which say nothing of anybody else. */
function nameOf({ setMs, tries, lastTryMs, openedMs }: RecoveryPassphrase): string {
  return [setMs, tries, lastTryMs, openedMs].join(" ");
}
