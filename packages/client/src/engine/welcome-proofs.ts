import { CodecError, decode, equalBytes } from "@latchkey/codec";
import { inboxItemKinds, welcomeBundleCodec } from "@latchkey/protocol";
import type { InboxHead, WelcomeBundle } from "@latchkey/protocol";
import type { VerifiedAccount } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import { getBlob } from "../group/blobs.ts";
import type { World } from "./world.ts";

/** Records of a large group are some megabytes; what is larger is no Welcome of ours. */
const maxRecordsBytes = 16 * 1024 * 1024;

/** The records of all members that came with a Welcome (spec D-5); nothing when their blob is gone: then they are asked about. @throws ClientError `offline` */
export async function recordsOfWelcome(world: World, { host, directoryProofs }: WelcomeBundle): Promise<Uint8Array> {
  if (directoryProofs.kind === "inline") return directoryProofs.proofs;
  if (directoryProofs.sizeBytes > maxRecordsBytes) return new Uint8Array(0);
  const { platform, connections } = world;
  try {
    return await getBlob({ platform, baseUrl: connections.httpUrl(host) }, directoryProofs);
  } catch (error) {
    if (!(error instanceof ClientError) || error.canRetry) throw error;
    return new Uint8Array(0);
  }
}

/**
 * Who sealed a Welcome, by the proven record that came along with it: so that joining a group asks nobody about anybody (spec D-5).
 * Of a stranger's bundle only that record is used before its signature is verified.
 */
export async function senderOfWelcome(world: World, head: InboxHead, body: Uint8Array): Promise<VerifiedAccount | undefined> {
  if (head.kind !== inboxItemKinds.welcome) return undefined;
  let bundle: WelcomeBundle;
  try {
    bundle = decode(welcomeBundleCodec, body);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
  // From nowhere but the sender's own host is anything fetched at a stranger's word.
  if (bundle.host !== head.senderHost) return undefined;
  const { senderAccountId } = head;
  const learned = await world.directory.learn(await recordsOfWelcome(world, bundle), [senderAccountId]);
  return learned.find((contact) => equalBytes(contact.accountId, senderAccountId) && contact.proven !== undefined)?.account;
}
