import { toBase64Url } from "@latchkey/codec";
import type { AccountInfo, Client, ClientEvent, Connection } from "./api.ts";
import { createDirectory } from "./account/directory.ts";
import { loadOwnAccount } from "./account/own-account.ts";
import type { OwnAccount } from "./account/own-account.ts";
import { registerAccount } from "./account/registration.ts";
import { OwnStates } from "./devices/own-states.ts";
import { Alarms } from "./directory/alarms.ts";
import { Engine } from "./engine/engine.ts";
import { People } from "./engine/people.ts";
import { Posts } from "./engine/posts.ts";
import type { World } from "./engine/world.ts";
import { Watch } from "./engine/watch.ts";
import { ClientError, offlineError } from "./errors.ts";
import type { Platform } from "./platform/platform.ts";
import type { Store } from "./store/store.ts";
import { createConnections } from "./transport/connection-manager.ts";
import { expectAnswer } from "./transport/connection.ts";

/** What a client is made of. */
export interface ClientOptions {
  /** This profile's store, of which the client is the only user; closed with it. */
  readonly store: Store;
  readonly platform: Platform;
  /** `http:` or `https:` address of one's own server. */
  readonly serverUrl: string;
}

const settlePollMs = 20;
const settleTimeoutMs = 30_000;
const inspectTimeoutMs = 10_000;

/** Opens the profile in `store`: connects when it has an account, else waits for `register`. @throws ClientError of the store */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { store, platform } = options;
  const stored = await store.transact("read", (tx) => loadOwnAccount(tx));
  const connections = createConnections({ platform, serverUrl: options.serverUrl, ownHost: stored?.host });
  const directory = createDirectory({ store, platform, connections });
  const listeners = new Set<(event: ClientEvent) => void>();
  let engine: Engine | undefined;
  let watching: { readonly watch: Watch; readonly alarms: Alarms } | undefined;
  let account = stored?.status === "registered" ? stored : undefined;
  let registering: Promise<AccountInfo> | undefined;
  let isClosed = false;

  function emit(event: ClientEvent): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch {
        // A listener's own fault: the others and the client go on.
      }
    }
  }

  async function start(own: OwnAccount): Promise<void> {
    account = own;
    const states = new OwnStates({
      store,
      platform,
      connections,
      own,
      prove: () => Promise.resolve(),
      onChange: ({ after }) => {
        account = after;
        emit({ kind: "devices" });
      },
    });
    const shared = {
      store,
      platform,
      connections,
      directory,
      get own() {
        return states.own;
      },
    };
    const alarms = new Alarms({ store, platform, emit });
    await alarms.load();
    const people = new People(shared);
    const posts = new Posts(shared);
    const world: World = {
      ...shared,
      get own() {
        return states.own;
      },
      people,
      posts,
      alarms,
      get watch() {
        return watch;
      },
      emit,
      refreshOwn: () => states.refresh(),
      syncArrived: () => undefined,
    };
    const watch = new Watch(world);
    watching = { watch, alarms };
    await watch.load();
    engine = await Engine.start(world);
    watch.start();
  }

  function running(): Engine {
    if (isClosed) throw new ClientError("closed", "The client is closed.");
    if (engine === undefined) throw new ClientError("no_account", "Create an account first.");
    return engine;
  }

  function watched(): Watch {
    running();
    if (watching === undefined) throw new ClientError("no_account", "Create an account first.");
    return watching.watch;
  }

  async function register(params: Parameters<Client["register"]>[0]): Promise<AccountInfo> {
    if (account !== undefined) throw new ClientError("account_exists", "This profile has an account already.");
    const own = await registerAccount({ store, platform, connections, directory, ...params });
    await start(own);
    const info = accountInfo(own);
    emit({ kind: "account", account: info });
    return info;
  }

  connections.onState((connection: Connection) => emit({ kind: "connection", connection }));
  if (account !== undefined) await start(account);

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      platform.setTimer(settlePollMs, resolve);
    });

  return {
    account: async () => (account === undefined ? undefined : accountInfo(account)),
    connection: async () => connections.state(),
    serverInfo: () => connections.serverInfo(),
    checkUsername: async (username) => directory.checkUsername(username, await connections.ownHost()),
    register(params) {
      registering ??= register(params).finally(() => {
        registering = undefined;
      });
      return registering;
    },
    resolve: async (address) => running().person(address),
    conversations: async () => engine?.conversations() ?? [],
    details: async (id) => running().details(id),
    startConversation: async (params) => running().startConversation(params),
    messages: async (id, params) => running().messages(id, params),
    send: async (id, text) => running().send(id, text),
    retry: async (id, messageId) => running().retry(id, messageId),
    discard: async (id, messageId) => running().discard(id, messageId),
    addMembers: async (id, addresses) => running().addMembers(id, addresses),
    removeMember: async (id, accountId) => running().removeMember(id, accountId),
    leave: async (id) => running().leave(id),
    markRead: async (id, throughOrder) => running().markRead(id, throughOrder),
    saveDraft: async (id, text) => running().saveDraft(id, text),
    async inspect() {
      // A client that was opened a moment ago is still connecting.
      const untilMs = platform.nowMs() + inspectTimeoutMs;
      while (running().deviceConnection === undefined && platform.nowMs() < untilMs) await pause();
      const connection = running().deviceConnection;
      if (connection === undefined) throw offlineError();
      const { json } = expectAnswer(await connection.request({ kind: "inspect" }), "holdings");
      return { json: new TextDecoder().decode(json) };
    },
    recoveryPhrase: notYet,
    forgetRecoveryPhrase: notYet,
    recover: notYet,
    devices: notYet,
    removeDevice: notYet,
    offerLink: notYet,
    acceptLink: notYet,
    confirmLink: notYet,
    cancelLink: notYet,
    deleteAccount: notYet,
    verification: async (id) => watched().verification(id),
    safetyNumber: async (accountId) => watched().safetyNumber(accountId),
    scanSafetyNumber: async (accountId, code) => watched().scanSafetyNumber(accountId, code),
    markVerified: async (accountId, verified) => watched().markVerified(accountId, verified),
    alarms: async () => watching?.alarms.list() ?? [],
    acknowledgeAlarm: async (id) => watching?.alarms.handle(id),
    directoryStatus: async () => directory.log.status(await connections.ownHost()),
    async settle(params = {}) {
      const untilMs = platform.nowMs() + (params.timeoutMs ?? settleTimeoutMs);
      while (!running().isIdle) {
        if (platform.nowMs() > untilMs) throw offlineError();
        await pause();
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    wake: () => connections.wake(),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await watching?.watch.close();
      await connections.close();
      await engine?.close();
      listeners.clear();
      await store.close();
    },
  };
}

async function notYet(): Promise<never> {
  throw new ClientError("server_refused", "Not available yet.");
}

function accountInfo(own: OwnAccount): AccountInfo {
  const { username, host, displayName, createdAtMs } = own;
  return {
    accountId: toBase64Url(own.accountId),
    username,
    host,
    address: username,
    displayName,
    isSelf: true,
    deviceId: toBase64Url(own.deviceId),
    createdAtMs,
    hasRecoveryPhrase: own.recoveryEntropy.length > 0,
  };
}
