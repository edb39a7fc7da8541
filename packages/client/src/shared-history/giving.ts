import { toBase64Url } from "@latchkey/codec";
import { createHistoryContent } from "@latchkey/protocol";
import { mayGive } from "../core/past.ts";
import { hasEnded, isWritable } from "../core/phase.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { encryptBlob, putBlob } from "../group/blobs.ts";
import { encodeArchive, maxArchiveBlobBytes, maxRecordsBytes } from "./archive.ts";
import { dropGiving } from "./tasks.ts";
import type { Giving } from "./tasks.ts";
import { writeArchive } from "./write.ts";

/**
 * Gives those who joined by a commit of this device what was said before (spec R-5): written, encrypted under a key of its own, on the server, and
 * then said in the group, in the epoch in which they are. Again after a restart, until the message waits to be sent.
 * @throws ClientError when the server does not take it now
 */
export async function give(world: World, runner: ConversationRunner, giving: Giving): Promise<void> {
  const { store, platform, connections, own } = world;
  await runner.load();
  const { state } = runner;
  const { roster } = state;
  const drop = (): Promise<void> => store.transact("write", (tx) => dropGiving(tx, giving));
  // Who is out again is given nothing.
  const accounts = giving.accounts.filter((accountId) => roster?.accounts.has(toBase64Url(accountId)) === true);
  const isPermitted = roster !== undefined && mayGive(roster, toBase64Url(own.accountId));
  if (roster === undefined || !isPermitted || hasEnded(state.phase) || !isWritable(state) || accounts.length === 0) {
    await drop();
    return;
  }
  const { joinedSeq } = giving;
  const written = await store.transact("read", (tx) =>
    writeArchive(tx, {
      ...state,
      conversationId: state.id,
      joinedSeq,
      policy: roster.settings.rights.history,
      nowMs: platform.nowMs(),
      sha256: platform.sha256,
      isBlocked: (accountId) => world.people.isBlocked(accountId),
    }),
  );
  if (written === undefined) {
    await drop();
    return;
  }
  // What proves the members the joiners have from their Welcome (spec M-4).
  const gone = written.authors.map(({ accountId }) => accountId).filter((accountId) => !roster.accounts.has(toBase64Url(accountId)));
  await world.people.load(gone);
  const records = world.people.recordsOf(gone);
  const plaintext = encodeArchive({ ...written, records: records.length <= maxRecordsBytes ? records : new Uint8Array(0) });
  const { reference, ciphertext } = encryptBlob({ plaintext, random: platform.random, sha256: platform.sha256 });
  if (reference.sizeBytes > maxArchiveBlobBytes) {
    await drop();
    return;
  }
  try {
    await putBlob({ platform, baseUrl: connections.httpUrl(own.host) }, reference.blobId, ciphertext);
  } catch (error) {
    // What the server never takes is given to nobody.
    if (!(error instanceof ClientError) || error.canRetry) throw error;
    await drop();
    return;
  }
  const salt = platform.random(16);
  const content = createHistoryContent({ salt, sentAtMs: platform.nowMs(), given: { joinedSeq, accounts, archive: reference } });
  await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "history", text: "", content });
}
