import { toBase64Url } from "@latchkey/codec";
import type { LinkOffer, LinkState } from "../api.ts";
import type { Directory } from "../account/directory.ts";
import { loadOwnAccount, saveOwnAccount } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { ClientError } from "../errors.ts";
import { inboxSuite } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { putProgress } from "./import.ts";
import { formatLinkCode, linkLifeMs, linkPlace, linkSecretBytes, linkWords } from "./link-code.ts";
import { beginNewSide } from "./link-machine.ts";
import type { LinkIdentity } from "./link-machine.ts";
import { LinkSession, unpackLinked } from "./link-session.ts";
import { putDeviceName, putInherited, verifyLinked } from "./linked-account.ts";
import type { LinkedAccount } from "./linked-account.ts";
import { createNewDevice, proofOfPossession } from "./new-device.ts";
import type { NewDevice } from "./new-device.ts";

/** What offering oneself for linking needs. */
export interface OfferParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly deviceName: string;
  readonly directory: Pick<Directory, "lookUpOwn">;
  readonly emit: (state: LinkState) => void;
  /** The account is stored in this profile. */
  readonly onLinked: (own: OwnAccount) => Promise<void>;
}

/** Offers this profile, which has no account, as a new device of one (spec A-7). Nothing is stored before the account is. */
export async function offerLink(params: OfferParams): Promise<{ offer: LinkOffer; session: LinkSession }> {
  const { store, platform, connections, emit } = params;
  const host = await connections.ownHost();
  const secret = platform.random(linkSecretBytes);
  const place = linkPlace(secret);
  const expiresAtMs = platform.nowMs() + linkLifeMs;
  const context = { random: platform.random, suite: platform.crypto.suite(inboxSuite) };
  const name = params.deviceName.trim().slice(0, 64);
  const first = await beginNewSide(context, place, name);
  const blobs = { platform, baseUrl: connections.httpUrl(host) };
  let device: NewDevice | undefined;
  let account: LinkIdentity | undefined;
  let linked: OwnAccount | undefined;
  const session = new LinkSession({
    platform,
    connections,
    host,
    place,
    first,
    emit,
    async handle(effect) {
      switch (effect.kind) {
        case "enroll": {
          if (effect.identity.host !== host) return { kind: "failed", code: "invalid_code" };
          account = effect.identity;
          device = await createNewDevice(platform, name);
          return { kind: "enrolment", device: device.entry, pop: await proofOfPossession(platform, device, account.accountId) };
        }
        case "store": {
          if (device === undefined || account === undefined) return { kind: "failed", code: "link_expired" };
          const received = await unpackLinked(blobs, effect.message);
          const { accountId } = account;
          linked = await verifyLinked({ linked: received, device, host, accountId, platform, directory: params.directory });
          await saveLinked(store, linked, received);
          return { kind: "stored" };
        }
        case "linked":
          if (linked !== undefined) await params.onLinked(linked);
          return undefined;
        case "publish":
        case "undo":
          throw new Error("a new device publishes nothing");
      }
    },
  });
  // Whoever reads the code finds the offer.
  await session.said();
  emit({ kind: "waiting" });
  return { offer: { code: formatLinkCode(secret, host), words: linkWords(secret), expiresAtMs }, session };
}

/** Account, what was known of others, and what is still to come: all of it or nothing. */
async function saveLinked(store: Store, own: OwnAccount, received: LinkedAccount): Promise<void> {
  await store.transact("write", async (tx) => {
    if ((await loadOwnAccount(tx)) !== undefined) throw new ClientError("account_exists", "This profile has an account already.");
    saveOwnAccount(tx, own);
    await putInherited(tx, received.records);
    for (const { deviceId, name } of received.names) putDeviceName(tx, toBase64Url(deviceId), name);
    putDeviceName(tx, toBase64Url(own.deviceId), own.deviceName);
    putProgress(tx, { conversations: received.conversations, chunks: undefined, nextChunk: 0 });
  });
}
