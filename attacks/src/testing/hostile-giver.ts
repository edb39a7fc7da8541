import { join } from "node:path";
import { fromBase64Url } from "@latchkey/codec";
import { createNodePlatform, openNodeStore } from "@latchkey/client/node";
import { encodeArchive, encryptBlob, writeArchive } from "@latchkey/client/testing";
import type { HistoryArchive } from "@latchkey/client/testing";
import { createHistoryContent } from "@latchkey/protocol";
import { putBlob, writeAs } from "./hostile-author.ts";
import type { Insider } from "./insider.ts";
import type { Person, Scene } from "./scene.ts";

const node = createNodePlatform();

/** What somebody is given: an archive, or any bytes in its place. */
export interface Gift {
  readonly to: readonly Person[];
  readonly archive: HistoryArchive | Uint8Array;
  /** The commit by which they joined; as the archive has it where it is one. */
  readonly joinedSeq: number;
}

/**
 * A member gives joiners what it likes in place of what was said before: it starts from what an honest client would give those who joined by a
 * commit, and from what its profile has.
 */
export async function giveAs(
  scene: Scene,
  giver: Person,
  conversationId: string,
  joinedSeq: number,
  make: (honest: HistoryArchive, insider: Insider) => Promise<readonly Gift[]> | readonly Gift[],
): Promise<void> {
  await writeAs(scene, giver, conversationId, async (insider) => {
    const honest = await honestArchive(scene, giver, insider, joinedSeq);
    const said = [];
    for (const { to, archive, joinedSeq: seq } of await make(honest, insider)) {
      const plaintext = archive instanceof Uint8Array ? archive : encodeArchive(archive);
      const { reference, ciphertext } = encryptBlob({ plaintext, random: node.random, sha256: node.sha256 });
      await putBlob(scene.server.url, { reference, ciphertext });
      const accounts = to.map(({ accountId }) => fromBase64Url(accountId));
      const given = { joinedSeq: seq, accounts, archive: reference };
      said.push({ plaintext: createHistoryContent({ salt: node.random(16), sentAtMs: Date.now(), given }) });
    }
    return said;
  });
}

async function honestArchive(scene: Scene, giver: Person, { state }: Insider, joinedSeq: number): Promise<HistoryArchive> {
  const store = await openNodeStore(join(scene.folder, "people", giver.name));
  const written = await store.transact("read", (tx) =>
    writeArchive(tx, {
      ...state,
      conversationId: state.id,
      joinedSeq,
      policy: "30_days",
      nowMs: Date.now(),
      sha256: node.sha256,
      isBlocked: () => false,
    }),
  );
  await store.close();
  if (written === undefined) throw new Error("something was said");
  return { ...written, records: new Uint8Array(0) };
}
