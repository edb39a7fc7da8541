import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setPassphrase } from "@latchkey/client/passphrase";
import { opaqueHere } from "@latchkey/client/opaque";
import type { Person, Scene } from "./scene.ts";

/** Has somebody set their passphrase, as our apps do; answers the 24 words. */
export async function havePassphrase(person: Person, passphrase: string): Promise<string> {
  const outcome = await setPassphrase(person.client, opaqueHere, { passphrase });
  if (outcome !== "set") throw new Error(outcome);
  return ((await person.client.recoveryPhrase()) ?? []).join(" ");
}

/** What the server's database has of the one passphrase that is set. */
export function storedPassphrase(scene: Scene): { readonly record: Uint8Array; readonly sealed: Uint8Array } {
  const database = new DatabaseSync(join(scene.folder, "server", "accounts.sqlite"), { readOnly: true });
  try {
    const row = database.prepare("SELECT record, sealed FROM passphrases").get();
    if (row === undefined) throw new Error("no passphrase is set");
    return { record: row["record"] as Uint8Array, sealed: row["sealed"] as Uint8Array };
  } finally {
    database.close();
  }
}
