import { toBase64Url } from "@latchkey/codec";
import type { CipherSuiteId } from "@latchkey/mls";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { ClientEvent } from "../api.ts";
import type { Context, Self } from "../core/types.ts";
import { loadHead } from "../core/records.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import type { People } from "./people.ts";
import type { Posts } from "./posts.ts";

/** What every part of the engine shares, once there is an account. */
export interface World {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Directory;
  /** As its newest state known here is. */
  readonly own: OwnAccount;
  readonly people: People;
  readonly posts: Posts;
  emit(event: ClientEvent): void;
  /** Asks the account's host for states that other devices of it published. @throws ClientError */
  refreshOwn(): Promise<void>;
  /** Something that another device told was stored (`syncKey`). */
  syncArrived(): void;
}

/** Where what another device told waits until it was acted on. */
export const syncPrefix = "sync-in/";

/** This device as conversations know it. */
export function selfOf(own: OwnAccount): Self {
  return {
    host: own.host,
    accountId: own.accountId,
    deviceId: own.deviceId,
    account: toBase64Url(own.accountId),
    signatureKeyPair: own.signatureKeyPair,
    accountVersion: own.stateVersion,
    accountChain: own.stateHash,
  };
}

/** What a step of conversation `id` may use of the world, as it is now. */
export function contextOf(world: World, id: string): Context {
  const { platform, people, store } = world;
  return {
    self: selfOf(world.own),
    nowMs: platform.nowMs(),
    random: platform.random,
    sha256: platform.sha256,
    suite: (suiteId: CipherSuiteId) => platform.crypto.suite(suiteId),
    vouched: (leaf) => people.vouches(leaf),
    olderHead: (seq) => store.transact("read", (tx) => loadHead(tx, id, seq)),
  };
}
