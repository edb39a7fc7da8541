import { CodecError, decode, equalBytes, toBase64Url } from "@latchkey/codec";
import { eraseKeyPackagePrivateKeys, inspectWelcome, MlsError } from "@latchkey/mls";
import type { CipherSuiteId } from "@latchkey/mls";
import { welcomeBundleCodec } from "@latchkey/protocol";
import type { WelcomeBundle } from "@latchkey/protocol";
import { defaultSuite, eraseOwnKeyPackage, findOwnKeyPackage } from "../account/key-packages.ts";
import { joinConversation } from "../core/begin.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { getBlob } from "../group/blobs.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { KeptWelcome } from "./invitations.ts";
import { welcomeLifeMs } from "./posts.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** A Welcome that holds: what it makes of the conversation, whose it is, and what is stored with whatever becomes of it. */
export interface VerifiedWelcome extends KeptWelcome {
  readonly state: ConversationState;
  readonly effects: readonly Effect[];
  /** The person agreed to it. */
  readonly isAgreed: boolean;
  /** It was dealt with: in the transaction of what became of it. */
  readonly settle: (tx: StoreTransaction) => Promise<void>;
  /** It waits: its item is done with, its key package is kept. */
  readonly putAside: (tx: StoreTransaction) => void;
}

/** Records of a large group are some megabytes; what is larger is no Welcome of ours. */
const maxRecordsBytes = 16 * 1024 * 1024;

/**
 * Joins by a Welcome whose sender was verified, and accepted (spec M-4). `failed`: no later try can open it; `stranger`: its sender
 * may welcome this device into `knownOnly` and into nothing else.
 * @throws ClientError when a part of it cannot be had now
 */
export async function joinByWelcome(
  world: World,
  params: {
    welcome: KeptWelcome;
    isAgreed: boolean;
    /** How long the server keeps entries. */
    retentionDays: number;
    knownOnly?: ((conversationId: string) => boolean) | undefined;
    /** Stored with the outcome: the item was dealt with. */
    settle: (tx: StoreTransaction) => void;
    take: (welcome: VerifiedWelcome) => Promise<void>;
  },
): Promise<"done" | "failed" | "stranger"> {
  const { store, platform, connections, directory, people, own } = world;
  const { sender, body } = params.welcome;
  const opened = openBundle(body);
  if (opened === undefined || opened.bundle.host !== own.host) return "failed";
  const { bundle, reference, suiteId } = opened;
  const id = toBase64Url(bundle.logId);
  if (params.knownOnly?.(id) === false) return "stranger";
  const keys = await store.transact("read", (tx) => findOwnKeyPackage(tx, reference));
  // Used before, or erased for its age.
  if (keys === undefined) return "failed";
  if (!equalBytes(sender.accountId, own.accountId)) await people.load([sender.accountId]);
  const ratchetTree =
    bundle.tree.kind === "inline" ? bundle.tree.tree : await getBlob({ platform, baseUrl: connections.httpUrl(bundle.host) }, bundle.tree);
  const joined = await joinConversation(contextOf(world, id), {
    bundle,
    suiteId,
    keyPackage: keys.keyPackage,
    privateKeys: keys.privateKeys,
    ratchetTree,
    senderAccountId: sender.accountId,
    senderDeviceId: sender.deviceId,
    meet: async (accountIds) => {
      for (const contact of await directory.learn(await recordsOfWelcome(world, bundle), accountIds)) people.keep(contact);
    },
    // It was sealed when its commit was accepted, for the longest life that an honest client gives it.
    sight: { atMs: sender.notAfterMs - welcomeLifeMs, retentionDays: params.retentionDays },
  });
  // The group has copies of what it needs of them.
  eraseKeyPackagePrivateKeys(keys.privateKeys);
  if (joined.kind === "refused") {
    await store.transact("write", (tx) => eraseOwnKeyPackage(tx, reference));
    return "failed";
  }
  const { isAgreed, settle: putAside } = params;
  const settle = async (tx: StoreTransaction): Promise<void> => {
    putAside(tx);
    await eraseOwnKeyPackage(tx, reference);
  };
  await params.take({ ...joined, sender, body, isAgreed, settle, putAside });
  return "done";
}

/** `undefined` for what is no Welcome of ours. */
function openBundle(body: Uint8Array): { bundle: WelcomeBundle; reference: Uint8Array; suiteId: CipherSuiteId } | undefined {
  try {
    const bundle = decode(welcomeBundleCodec, body);
    const { references, cipherSuite } = inspectWelcome(bundle.welcome);
    const [reference] = references;
    return reference !== undefined && isOfferedSuite(cipherSuite) ? { bundle, reference, suiteId: cipherSuite } : undefined;
  } catch (error) {
    if (error instanceof CodecError || error instanceof MlsError) return undefined;
    throw error;
  }
}

function isOfferedSuite(suite: number): suite is CipherSuiteId {
  return suite === defaultSuite || suite === 0x0001;
}

/** The records of all members that came with a Welcome (spec D-5); nothing when their blob is gone: then they are asked about. @throws ClientError `offline` */
async function recordsOfWelcome(world: World, { host, directoryProofs }: WelcomeBundle): Promise<Uint8Array> {
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
