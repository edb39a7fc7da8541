import { toBase64Url } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { signStructure, usernameBindingCodec } from "@latchkey/transparency";
import type { AccountInfo, Client, ClientEvent, Connection } from "./api.ts";
import type { Transcribe } from "./api/transcripts.ts";
import { createDirectory } from "./account/directory.ts";
import { beganByRecovery, loadOwnAccount, recoveryPhrase } from "./account/own-account.ts";
import type { OwnAccount } from "./account/own-account.ts";
import { PendingRegistration } from "./account/pending-registration.ts";
import type { LinkSession } from "./devices/link-session.ts";
import type { OwnChange, OwnStates } from "./devices/own-states.ts";
import type { Alarms } from "./directory/alarms.ts";
import type { Engine } from "./engine/engine.ts";
import type { People } from "./engine/people.ts";
import type { Watch } from "./engine/watch.ts";
import { historyBackupCalls } from "./history-backup/calls.ts";
import { endableStore, eraseProfile, finishErasing } from "./erasing.ts";
import { ClientError, failureOf, offlineError } from "./errors.ts";
import { goOnErasing, importCalls } from "./imports/calls.ts";
import { lazyPassphraseCalls } from "./passphrase/lazy-calls.ts";
import { withOwnTimers } from "./platform/own-timers.ts";
import type { Platform } from "./platform/platform.ts";
import type { Store } from "./store/store.ts";
import { createConnections } from "./transport/connection-manager.ts";
import { expectAnswer } from "./transport/connection.ts";
import type { RoleConnection } from "./transport/connection.ts";

/** What a client is made of. */
export interface ClientOptions {
  /** This profile's store, of which the client is the only user; closed with it. */
  readonly store: Store;
  readonly platform: Platform;
  /** `http:` or `https:` address of one's own server. */
  readonly serverUrl: string;
  /** What becomes of strangers' invitations: `ask` (default) lets them wait as requests, `accept` takes them, as a bot does (spec I-4). */
  readonly requests?: "ask" | "accept" | undefined;
  /** Writes down what is said in files, on this device, where a person asks for it; without it nothing does, and nothing of it is offered (spec X-27). */
  readonly transcribe?: Transcribe | undefined;
  /** Called for every event, also of what happens while the client is still being opened, which `subscribe` is too late for. */
  readonly listener?: ((event: ClientEvent) => void) | undefined;
  /** Opened for moments, without a person (spec O-22): it tells nobody that this device is in use, and does nothing that can wait for one. */
  readonly isVisit?: boolean | undefined;
  /**
   * Writes down that nothing of the profile opens any more, whatever ends this program, and that the next opening removes it: how it is erased. Without it its
   * records are removed one by one. @throws ClientError `storage_denied`
   */
  readonly markErased?: (() => Promise<void>) | undefined;
}

const sincePage = 100;
const settlePollMs = 20;
const settleTimeoutMs = 30_000;
/** How long a call that needs the account's connection waits for it. */
const connectingMs = 10_000;
/** How long the deletion of an account waits for its groups to hear of it. */
const leaveAllMs = 5000;

/** Opens the profile in `store`: connects when it has an account, else waits for `register`. @throws ClientError of the store */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { store, endStore } = endableStore(options.store);
  const { platform, endTimers } = withOwnTimers(options.platform);
  await finishErasing(store, platform);
  const stored = await store.transact("read", (tx) => loadOwnAccount(tx));
  const connections = createConnections({ platform, serverUrl: options.serverUrl, ownHost: stored?.host });
  const directory = createDirectory({ store, platform, connections });
  const listeners = new Set<(event: ClientEvent) => void>(options.listener === undefined ? [] : [options.listener]);
  let engine: Engine | undefined;
  let watching: { readonly watch: Watch; readonly alarms: Alarms } | undefined;
  let account = stored !== undefined && hasBegun(stored) ? stored : undefined;
  let ownStates: OwnStates | undefined;
  let known: People | undefined;
  let followProfile: () => Promise<void> = () => Promise.resolve();
  /** While this profile offers itself for linking. */
  let offered: LinkSession | undefined;
  let registering: Promise<AccountInfo> | undefined;
  /** Name of an account that was finished since this client was opened: whoever asks for it again gets it. */
  let finished: string | undefined;
  const pending = new PendingRegistration({
    store,
    platform,
    connections,
    directory,
    prepare: loadAccountParts,
    async onDone(own) {
      await begin(own);
      finished = own.username;
    },
    onChange: () => emit({ kind: "pending_account", pending: pending.waiting }),
  });
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
    const { openAccount } = await loadAccountParts();
    const opened = await openAccount({ store, platform, connections, directory, own, emit, onChange, onNamed });
    followProfile = opened.followProfile;
    known = opened.people;
    watching = opened;
    ownStates = opened.states;
    engine = await opened.startEngine({ policy: options.requests ?? "ask", isVisit: options.isVisit === true });
    // Where that fails now, the next start goes on.
    if (options.isVisit !== true) void goOnErasing({ store, files: () => running().files.load() }).catch(() => undefined);
  }

  async function learnServerName(people: People): Promise<void> {
    if (people.hasServerName) return;
    try {
      people.setServerName((await connections.serverInfo()).name);
    } catch (error) {
      // Learned with the next connection.
      if (!(error instanceof ClientError)) throw error;
    }
  }

  function onNamed(own: OwnAccount): void {
    account = own;
    emit({ kind: "account", account: accountInfo(own) });
  }

  function onChange(change: OwnChange): void {
    account = change.after;
    engine?.devices.changed(change);
    engine?.pictures.offerOwn();
    if (change.after.status === "registered" || change.isOwn) return;
    watching?.alarms.raise({ failure: failureOf(gone(change.after)) }).catch(() => undefined);
    // What it has stays readable; nothing more comes or goes.
    void engine?.close();
  }

  function running(): Engine {
    if (isClosed) throw new ClientError("closed", "The client is closed.");
    if (engine === undefined) throw missing();
    return engine;
  }

  /** The account's connection; a client that was opened a moment ago is still connecting. @throws ClientError `offline` */
  async function deviceConnection(): Promise<RoleConnection<"device">> {
    const untilMs = platform.nowMs() + connectingMs;
    while (running().deviceConnection === undefined && platform.nowMs() < untilMs) await pause();
    const connection = running().deviceConnection;
    if (connection === undefined) throw offlineError();
    return connection;
  }

  /** The account, of which this device is one. */
  function ownAccount(): OwnAccount {
    member();
    if (ownStates === undefined) throw missing();
    return ownStates.own;
  }

  function watched(): Watch {
    running();
    if (watching === undefined) throw missing();
    return watching.watch;
  }

  /** Why there is no account to work with. */
  function missing(): ClientError {
    const { waiting } = pending;
    if (waiting === undefined) return new ClientError("no_account", "Create an account first.");
    return new ClientError("account_waits", waiting.failure.message, { canRetry: true });
  }

  /** For whatever needs more than reading: this device must be one of its account. */
  function member(): Engine {
    const found = running();
    if (account !== undefined && account.status !== "registered") throw gone(account);
    return found;
  }

  function requireNoAccount(): void {
    if (isClosed) throw new ClientError("closed", "The client is closed.");
    if (account !== undefined) throw new ClientError("account_exists", "This profile has an account already.");
  }

  /** Everything that is there from now on: the account, told. */
  async function begin(own: OwnAccount): Promise<AccountInfo> {
    offered?.close();
    offered = undefined;
    await start(own);
    const info = accountInfo(own);
    emit({ kind: "account", account: info });
    return info;
  }

  function session(): LinkSession | undefined {
    return offered?.isOver === false ? offered : undefined;
  }

  async function deleteAccount(): Promise<void> {
    const found = member();
    const states = ownStates;
    if (states === undefined) throw gone(undefined);
    // What cannot be fetched is known before anything is done.
    const { markErasing, removeAll } = await import("./removing.ts");
    await found.leaveAll(leaveAllMs);
    const { username, host, accountId, deviceId, signatureKeyPair } = states.own;
    const released = await signStructure({
      codec: usernameBindingCodec,
      value: {
        format: 1,
        username,
        host,
        accountId,
        status: "released",
        timeMs: platform.nowMs(),
        signer: { kind: "device", deviceId },
        ext: new Uint8Array(0),
      },
      label: "UsernameBinding",
      secretKey: signatureKeyPair.secretKey,
      signatures: platform.signatures,
    });
    await states.publish((state) => (state.status === "deleted" ? undefined : { status: "deleted", bindings: [released] }));
    await found.close();
    engine = undefined;
    ownStates = undefined;
    account = undefined;
    await markErasing(store);
    await removeAll(store, platform);
  }

  async function erase(): Promise<void> {
    if (isClosed) throw new ClientError("closed", "The client is closed.");
    await eraseProfile({ store: options.store, platform, markErased: options.markErased, tell: takeOut, end, endStore });
    endTimers();
    listeners.clear();
  }

  /** This device leaves its account, and has told the others so when this resolves: they take it out of the conversations. */
  async function takeOut(): Promise<void> {
    const states = ownStates;
    // The last one takes itself out of no account.
    if (states === undefined || account?.status !== "registered" || states.own.account.state.devices.length < 2) return;
    const { withoutDevice } = await import("./devices/link-task.ts");
    await states.publish((state) => withoutDevice(state, states.own.deviceId));
    while (engine?.devices.told.hasToldAll === false) await pause();
  }

  /** Nothing runs any more, and nothing waits for a server: it is told at once that there is none. */
  async function end(): Promise<void> {
    isClosed = true;
    offered?.close();
    await Promise.all([pending.close(), watching?.watch.close(), connections.close()]);
    await engine?.close();
  }

  const pause = (): Promise<void> => new Promise((resolve) => void platform.setTimer(settlePollMs, resolve));

  async function register(params: Parameters<Client["register"]>[0]): Promise<AccountInfo> {
    const { registerAccount } = await import("./account/registration.ts");
    return makeAccount(params.username, () => registerAccount({ store, platform, connections, directory, ...params }));
  }

  /** What was begun before stands still meanwhile, and goes on if this does not bring an account. */
  async function makeAccount(username: string, make: () => Promise<OwnAccount>): Promise<AccountInfo> {
    // What cannot be fetched is known before anything is made.
    await loadAccountParts();
    await pending.pause();
    if (account !== undefined && account.status === "registered" && finished === username) return accountInfo(account);
    requireNoAccount();
    try {
      return await begin(await make());
    } catch (error) {
      pending.resume(error);
      throw error;
    }
  }

  connections.onState((connection: Connection) => {
    emit({ kind: "connection", connection });
    if (connection.kind === "online" && known !== undefined) void learnServerName(known);
  });
  if (account !== undefined) await start(account);
  else if (stored !== undefined) await pending.begin();
  else loadAccountParts().catch(() => undefined);

  return {
    account: async () => (account === undefined ? undefined : accountInfo(account)),
    pendingAccount: async () => pending.waiting,
    connection: async () => connections.state(),
    serverInfo: () => connections.serverInfo(),
    checkUsername: async (username) => directory.checkUsername(username, await connections.ownHost()),
    register(params) {
      registering ??= register(params).finally(() => {
        registering = undefined;
      });
      return registering;
    },
    resolve: async (address) => member().addresses.person(address),
    acceptName: async (address) => member().addresses.acceptName(address),
    conversations: async () => engine?.conversations.list() ?? [],
    details: async (id) => running().conversations.details(id),
    startConversation: async (params) => member().making.start(params),
    messages: async (id, params) => running().page(id, params),
    placeAt: async (id, atMs) => running().placeAt(id, atMs),
    unreadMentions: async () => running().unreadMentions(),
    since: async (cursor, params) => running().since(cursor, params?.limit ?? sincePage),
    send: async (id, text, options) => member().messages.send(id, text, options),
    privacySettings: async () => ({ receipts: member().own.setting("receipts"), typing: member().own.setting("typing") }),
    changePrivacySettings: async (settings) => member().own.change(settings),
    async changeProfile(profile) {
      await member().own.changeProfile(profile.displayName === undefined ? {} : { displayName: profile.displayName });
      await followProfile();
    },
    async setPicture(picture) {
      await member().own.changeProfile({ picture: picture === undefined ? new Uint8Array(0) : await member().pictures.make(picture) });
      await followProfile();
    },
    setGroupPicture: async (id, picture) =>
      member().groups.setPicture(id, async () => (picture === undefined ? new Uint8Array(0) : await member().pictures.make(picture))),
    picture: async (id) => running().pictures.picture(id),
    quietHours: async () => member().own.quietHours,
    setQuietHours: async (hours) => member().own.setQuietHours(hours),
    pushKey: async () => member().wakes.telling.key(),
    pushEndpoint: async () => running().wakes.telling.endpoint,
    setPushEndpoint: async (endpoint) => member().wakes.telling.set(endpoint),
    typing: async (id, isTyping) => member().signals.say(id, isTyping),
    edit: async (id, messageId, text) => member().messages.edit(id, messageId, text),
    deleteMessages: async (id, messageIds, options) => member().messages.delete(id, messageIds, options),
    react: async (id, messageId, emoji, isGiven = true) => member().messages.react(id, messageId, emoji, isGiven),
    sendPoll: async (id, poll) => member().messages.sendPoll(id, poll),
    vote: async (id, messageId, options) => member().messages.vote(id, messageId, options),
    endPoll: async (id, messageId) => member().messages.endPoll(id, messageId),
    pin: async (id, messageId, until) => member().messages.pin(id, messageId, until),
    pinned: async (id) => running().messages.pinned(id),
    forward: async (id, messageId, to) => member().messages.forward(id, messageId, to),
    search: async (query, options = {}) => running().search.page(query, options),
    findMessage: async (messageId) => running().messages.find(messageId),
    whoHasRead: async (id, messageId) => (await member().readQueries()).ask(id, messageId),
    messageInfo: async (id, messageId) => running().messages.info(id, messageId),
    heldDeletions: async (id) => running().messages.held(id),
    decideDeletions: async (id, accountId, isDone) => member().messages.decideDeletions(id, accountId, isDone),
    retry: async (id, messageId) => member().messages.retry(id, messageId),
    takeBack: async (id, messageId) => {
      await member().unplanned(id, messageId);
      const isTaken = await member().messages.takeBack(id, messageId);
      if (isTaken) member().own.written();
      return isTaken;
    },
    discard: async (id, messageId) => {
      await member().unplanned(id, messageId);
      await member().messages.discard(id, messageId);
    },
    addMembers: async (id, addresses, options) => member().groups.add(id, addresses, options),
    removeMembers: async (id, accountIds, options) => member().groups.remove(id, accountIds, options),
    keepOut: async (id, accountIds, isKept) => member().groups.keepOut(id, accountIds, isKept),
    setRole: async (id, accountIds, role) => member().groups.setRole(id, accountIds, role),
    changeSettings: async (id, settings) => member().groups.changeSettings(id, settings),
    removeUnproven: async (id) => member().groups.removeUnproven(id),
    letBack: async (id, accountId) => member().groups.letBack(id, accountId),
    acceptInvitation: async (id, accountId) => member().acceptInvitation(id, accountId),
    continueConversation: async (id, options) => member().continueConversation(id, options ?? {}),
    declineInvitation: async (id, accountId) => member().declineInvitation(id, accountId),
    leave: async (id) => member().groups.leave(id),
    createJoinLink: async (id, options = {}) => member().invites.create(id, options),
    joinLinks: async (id) => running().invites.list(id),
    revokeJoinLink: async (id, linkId) => member().invites.revoke(id, linkId),
    waitingRoom: async (id) => member().invites.waiting(id),
    admit: async (id, accountId) => member().invites.admit(id, accountId),
    refuse: async (id, accountId) => member().invites.refuse(id, accountId),
    readJoinLink: async (link) => running().invites.read(link),
    knock: async (link) => member().invites.knock(link),
    knocks: async () => running().invites.knocks(),
    withdrawKnock: async (linkId) => running().invites.withdraw(linkId),
    invitedBy: async (id) => (await running().moderation()).invitedBy(id),
    previewReport: async (id, report) => (await running().reports()).preview(id, report),
    report: async (id, report) => (await member().reports()).report(id, report),
    takesReports: async (host) => (await running().reports()).takesReports(host),
    reports: async (options) => (await running().reports()).list(options),
    notices: async () => (await running().reports()).notices(),
    readNotice: async (noticeId) => (await running().reports()).readNotice(noticeId),
    previewAppeal: async (appeal) => (await running().reports()).previewAppeal(appeal),
    appeal: async (appeal) => (await member().reports()).appeal(appeal),
    reportToAdministrators: async (id, report) => (await member().moderation()).report(id, report),
    groupReports: async (id) => (await running().moderation()).list(id),
    dismissGroupReport: async (id, reportId) => (await member().moderation()).dismiss(id, reportId),
    markRead: async (id, throughOrder) => running().reading.read(id, throughOrder),
    saveDraft: async (id, text) => running().own.saveDraft(id, text),
    mute: async (id, until) => member().own.mute(id, until),
    archive: async (id, isArchived = true) => member().own.archive(id, isArchived),
    pinConversation: async (id, place) => member().own.pinConversation(id, place),
    markUnread: async (id, isUnread = true) => member().own.markUnread(id, isUnread),
    deleteConversation: async (id) => member().own.deleteConversation(id),
    star: async (id, messageId, isStarred = true) => member().own.star(id, messageId, isStarred),
    starred: async (id) => running().own.starred(id),
    schedule: async (id, text, when) => (await member().later()).schedule(id, text, when),
    scheduled: async (id) => (await running().later()).scheduled(id),
    changeScheduled: async (id, change) => (await member().later()).change(id, change),
    cancelScheduled: async (id) => (await member().later()).cancel(id),
    sendScheduledNow: async (id) => (await member().later()).sendNow(id),
    remind: async (id, messageId, atMs) => (await member().later()).remind(id, messageId, atMs),
    reminders: async () => (await running().later()).reminders(),
    decideDraft: async (id, isTaken) => member().own.decideDraft(id, isTaken),
    async inspect() {
      const connection = await deviceConnection();
      const { ticket } = expectAnswer(await connection.request({ kind: "inspect" }), "holdings");
      if (account === undefined) throw missing();
      return { url: connections.httpUrl(account.host) + httpPaths.holdings, ticket: toBase64Url(ticket) };
    },
    async recoveryPhrase() {
      running();
      const own = ownStates?.own;
      const phrase = own === undefined ? undefined : await recoveryPhrase(own);
      return phrase?.split(" ");
    },
    async forgetRecoveryPhrase() {
      running();
      const own = await ownStates?.update((known) => ({ ...known, recoveryEntropy: new Uint8Array(0) }));
      if (own === undefined) return;
      account = own;
      emit({ kind: "account", account: accountInfo(own) });
    },
    async recover(params) {
      const { recoverAccount } = await import("./account/recover.ts");
      return makeAccount(params.username, () => recoverAccount({ store, platform, connections, directory, ...params }));
    },
    ...lazyPassphraseCalls({ platform, connections, directory, own: ownAccount, device: deviceConnection }),
    requests: async () => (await engine?.requests.list()) ?? { list: [], dropped: 0 },
    acceptRequest: async (id) => member().acceptRequest(id),
    declineRequest: async (id) => member().requests.decline(id),
    block: async (accountId) => member().requests.block(accountId),
    unblock: async (accountId) => member().requests.unblock(accountId),
    blocked: async () => (await engine?.requests.blocked()) ?? [],
    devices: async () => running().devices.list(),
    removeDevice: async (deviceId) => member().devices.remove(deviceId),
    removeOtherDevices: async () => member().devices.removeOthers(),
    async offerLink({ deviceName }) {
      requireNoAccount();
      session()?.input({ kind: "cancel" });
      // An account that came and could not begin would stand still until this profile is opened again.
      await loadAccountParts();
      const { offerLink } = await import("./devices/offer-link.ts");
      const begun = await offerLink({
        store,
        platform,
        connections,
        directory,
        deviceName,
        emit: (state) => emit({ kind: "link", state }),
        async onLinked(own) {
          offered = undefined;
          await begin(own);
        },
      });
      offered = begun.session;
      return begun.offer;
    },
    acceptLink: async (code) => member().devices.acceptLink(code),
    async confirmLink(same) {
      const open = session();
      if (open === undefined) member().devices.confirmLink(same);
      else open.input({ kind: "confirm", same });
    },
    async cancelLink() {
      const open = session();
      open?.input({ kind: "cancel" });
      await open?.settled();
      await engine?.devices.cancelLink();
    },
    fileState: async (conversationId, messageId, fileId) => (await running().files.load()).state({ conversationId, messageId, fileId }),
    fileAccess: async (conversationId, messageId, fileId) => (await running().files.load()).reach({ conversationId, messageId, fileId }),
    fetchFile: async (conversationId, messageId, fileId) => (await running().files.load()).fetch({ conversationId, messageId, fileId }),
    cancelFile: async (conversationId, messageId, fileId) => (await running().files.load()).cancel({ conversationId, messageId, fileId }),
    removeFile: async (conversationId, messageId, fileId) => (await running().files.load()).remove({ conversationId, messageId, fileId }),
    listFiles: async (conversationId, params) => (await running().files.load()).list(conversationId, params),
    fileStorage: async () => (await running().files.load()).storage(),
    setFileLimit: async (limitBytes) => (await running().files.load()).setLimit(limitBytes),
    canTranscribe: async () => options.transcribe !== undefined,
    transcribe: async (conversationId, messageId, fileId) =>
      (await running().files.load()).transcribe({ conversationId, messageId, fileId }, options.transcribe),
    async *readFile(conversationId, messageId, fileId, range = {}) {
      yield* (await running().files.load()).read({ conversationId, messageId, fileId }, range);
    },
    ...historyBackupCalls(async () => await member().historyBackups()),
    ...importCalls(() => {
      const { files } = running();
      return { store, random: platform.random, nowMs: () => platform.nowMs(), files: () => files.load() };
    }),
    deleteAccount,
    erase,
    verification: async (id) => watched().verification(id),
    aboutPerson: async (accountId) => watched().aboutPerson(accountId),
    safetyNumber: async (accountId) => watched().safetyNumber(accountId),
    async scanSafetyNumber(accountId, code) {
      const seen = await watched().scanSafetyNumber(accountId, code);
      if (seen === "match") await engine?.devices.marked(accountId);
      return seen;
    },
    async markVerified(accountId, verified) {
      await watched().markVerified(accountId, verified);
      await engine?.devices.marked(accountId);
    },
    alarms: async () => watching?.alarms.list() ?? [],
    acknowledgeAlarm: async (id) => watching?.alarms.handle(id),
    async directoryStatus() {
      const { directoryStatusOf } = await import("./engine/verification.ts");
      return directoryStatusOf(directory, await connections.ownHost());
    },
    async settle(params = {}) {
      const untilMs = platform.nowMs() + (params.timeoutMs ?? settleTimeoutMs);
      let isAsked = false;
      let isHeard = false;
      const isSettled = (): boolean => (params.isReadOnly === true ? running().isRead : running().isIdle);
      while (!isHeard || !isSettled()) {
        if (!isAsked && isSettled()) {
          isAsked = true;
          // What others wrote before this comes before the answer.
          void connections.heardAll().then(() => (isHeard = true));
        }
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
      try {
        await end();
      } finally {
        endTimers();
        listeners.clear();
        await store.close();
      }
    },
  };
}

/**
 * Most of the client, of no use before there is an account: whoever has none does not wait for it, and it comes meanwhile.
 * @throws ClientError `offline` where it cannot be fetched
 */
async function loadAccountParts(): Promise<typeof import("./engine/open-account.ts")> {
  try {
    return await import("./engine/open-account.ts");
  } catch (cause) {
    throw offlineError(cause);
  }
}

/** Whether the account came to be: one whose first state was never acknowledged did not. */
function hasBegun({ status }: OwnAccount): boolean {
  return status !== "registering" && status !== "recovering";
}

function gone(own: OwnAccount | undefined): ClientError {
  return own?.status === "deleted"
    ? new ClientError("account_deleted", "This account was deleted.")
    : new ClientError("device_removed", "This device was removed from the account. What it has stays readable here.");
}

function accountInfo(own: OwnAccount): AccountInfo {
  const { username, host, displayName, createdAtMs } = own;
  return {
    accountId: toBase64Url(own.accountId),
    username,
    host,
    address: username,
    displayName,
    besideName: undefined,
    isSelf: true,
    isNameLookedUp: true,
    deviceId: toBase64Url(own.deviceId),
    createdAtMs,
    hasRecoveryPhrase: own.recoveryEntropy.length > 0,
    isRecovered: beganByRecovery(own),
  };
}
