import { nothingSetFor } from "@latchkey/client/own";
import type {
  ClientErrorCode,
  ClientEvent,
  ClientFailure,
  Connection,
  ContactRequests,
  Conversation,
  ConversationDetails,
  HistoryBackup,
  Message,
  Person,
  OwnSettings,
  ScheduledMessage,
} from "@latchkey/client";
import { RemoteError } from "../worker/protocol.ts";
import type { HostStatus } from "../worker/protocol.ts";
import type { ClientHost } from "../worker/remote-client.ts";
import { createFakeJoinLinks } from "./fake-join-links.ts";
import { createFakePassphrase } from "./fake-passphrase.ts";
import { createFakeReports } from "./fake-reports.ts";
import { createFakeMessages } from "./fake-messages.ts";
import { createFakeAccount } from "./fake-account.ts";
import { people, sampleAccount, sampleConversations, sampleMessage, sampleRequests } from "./sample-data.ts";
import type { Sample } from "./sample-data.ts";

const noHistoryBackup: HistoryBackup = {
  keptBy: "nobody",
  deviceId: undefined,
  written: undefined,
  writing: undefined,
  leftOut: 0,
  failure: undefined,
  isToBeErased: false,
  found: undefined,
};

/** A situation to look at. */
export type Scene =
  | "usual"
  | "welcome"
  | "first"
  | "offline"
  /** The app is too old for its server. */
  | "outdated"
  | "alarm"
  | "in_use"
  | "storage_denied"
  | "profile_restored"
  | "starting"
  /** The recovery phrase is not written down yet. */
  | "phrase"
  | "alarms"
  /** This device was removed elsewhere. */
  | "removed"
  /** The server has no witnesses. */
  | "unwatched"
  /** The witnesses cannot be reached. */
  | "stale"
  | "hold"
  /** A new device whose offer nobody takes up. */
  | "waiting"
  /** Somebody in the group recovered their account. */
  | "away"
  | "quiet";

/** What a person who owns a group may do, and how it is run. */
function settingsOf(kind: "direct" | "group"): Omit<ConversationDetails, "conversation" | "members" | "epoch" | "cipherSuite"> {
  const isGroup = kind === "group";
  const may = {
    add: isGroup,
    remove: isGroup,
    post: true,
    editInfo: isGroup,
    timer: true,
    slowMode: isGroup,
    pin: true,
    deleteOthers: isGroup,
    invite: isGroup,
    own: isGroup,
  };
  const keysRenewedAtMs = Date.now() - 2 * 86_400_000;
  return {
    description: "",
    timerS: 0,
    slowModeS: 0,
    keptOut: [],
    rights: undefined,
    may,
    successors: [],
    healsWithinDays: 7,
    keysRenewedAtMs,
  };
}

function fail(code: ClientErrorCode): never {
  throw new RemoteError({ code, message: code, canRetry: true });
}

/** An in-memory client with sample data: for looking at screens without a server. Never part of the built app. */
export function createFakeHost(scene: Scene): ClientHost {
  const listeners = new Set<(event: ClientEvent) => void>();
  const emit = (event: ClientEvent): void => {
    setTimeout(() => {
      for (const listener of listeners) listener(event);
    }, 20);
  };
  const isNew = scene === "welcome" || scene === "waiting";
  const samples = new Map<string, Sample>(
    (scene === "first" || scene === "phrase" || isNew ? [] : sampleConversations()).map((one) => [one.conversation.id, one]),
  );
  let account = isNew ? undefined : { ...sampleAccount, hasRecoveryPhrase: scene === "phrase" };
  const offline: Connection = { kind: "offline", sinceMs: Date.now() - 7 * 60_000, waitingCount: 2, nextTryMs: Date.now() + 9000 };
  const outdated: Connection = { ...offline, cause: { code: "app_outdated", message: "", canRetry: true } };
  const connection: Connection = scene === "offline" ? offline : scene === "outdated" ? outdated : { kind: "online" };
  const status: HostStatus =
    scene === "in_use"
      ? { kind: "in_use" }
      : scene === "starting"
        ? { kind: "starting" }
        : scene === "storage_denied" || scene === "profile_restored"
          ? { kind: "failed", failure: { code: scene, message: "", canRetry: true } }
          : { kind: "ready" };

  const get = (id: string): Sample => samples.get(id) ?? fail("unknown_conversation");
  const change = (id: string, update: Partial<Conversation>): void => {
    const found = get(id);
    const conversation = { ...found.conversation, ...update };
    samples.set(id, { ...found, conversation });
    emit({ kind: "conversation", conversation });
  };
  const stars = new Set<string>();
  const scheduled = new Map<string, ScheduledMessage>();
  const setOwn = (id: string, own: Partial<OwnSettings>): void => change(id, { own: { ...get(id).conversation.own, ...own } });
  const put = (message: Message): void => {
    const { messages } = get(message.conversationId);
    const at = messages.findIndex((one) => one.id === message.id);
    if (at < 0) messages.push(message);
    else messages[at] = message;
    emit({ kind: "message", message, isNew: true });
    change(message.conversationId, { lastMessage: message, updatedAtMs: message.sentAtMs });
  };
  const find = (address: string): Person => {
    const [username = ""] = address.split("@");
    if (!/^[a-z0-9_.-]{3,32}$/.test(username)) fail("invalid_address");
    return Object.values(people).find((one) => one.username === username) ?? fail("unknown_user");
  };
  let requests: ContactRequests = sampleRequests();
  const blocked = new Set<string>();
  const setBlocked = (accountId: string, isBlocked: boolean): void => {
    if (isBlocked) blocked.add(accountId);
    else blocked.delete(accountId);
    requests = { ...requests, list: requests.list.filter((one) => one.id !== accountId) };
    for (const { conversation } of samples.values()) {
      if (conversation.peer?.accountId === accountId) change(conversation.id, { isBlocked });
    }
    emit({ kind: "requests" });
  };
  const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

  if (scene === "alarm") {
    const failure: ClientFailure = { code: "clock_skew", message: "", canRetry: true };
    setTimeout(() => emit({ kind: "alarm", failure, conversationId: undefined }), 100);
  }

  return {
    status: () => status,
    subscribeStatus: () => () => undefined,
    reopen: () => undefined,
    leave: () => undefined,
    startOver: () => undefined,
    lock: async () => ({ kind: "done" }),
    active: () => undefined,
    goesOn: () => undefined,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    client: {
      ...createFakePassphrase(),
      ...createFakeAccount({
        scene,
        emit,
        account: () => account,
        setAccount: (next) => {
          account = next;
        },
        members: (id) => get(id).members,
      }),
      fileState: async () => ({ kind: "remote", hereBytes: 0, totalBytes: 1000 }),
      fileAccess: () => Promise.reject(new Error("there are no files here")),
      fetchFile: later,
      cancelFile: later,
      removeFile: later,
      listFiles: async () => [],
      fileStorage: async () => ({ storedBytes: 0, limitBytes: undefined }),
      setFileLimit: later,
      canTranscribe: async () => false,
      transcribe: async () => "",
      historyBackup: async () => noHistoryBackup,
      keepHistoryBackup: later,
      writeHistoryBackup: async () => noHistoryBackup,
      dropHistoryBackup: later,
      findHistoryBackup: async () => noHistoryBackup,
      restoreHistoryBackup: async () => noHistoryBackup,
      declineHistoryBackup: later,
      imports: async () => [],
      beginImport: () => Promise.reject(new Error("nothing is imported here")),
      addToImport: later,
      keepImportedFile: async () => "unreadable",
      stopImportedFiles: later,
      importedFile: () => Promise.reject(new Error("nothing is imported here")),
      finishImport: () => Promise.reject(new Error("nothing is imported here")),
      importedLines: async () => [],
      importAside: async () => [],
      searchImports: async () => [],
      deleteImport: later,
      account: async () => account,
      pendingAccount: async () => undefined,
      connection: async () => connection,
      serverInfo: async () => ({
        host: "chat.example.org",
        name: "Chat of the Example Street",
        registration: "open",
        retentionDays: 30,
        announcement: "",
      }),
      async checkUsername(username) {
        await later();
        return Object.values(people).some((one) => one.username === username) ? "taken" : "available";
      },
      async register({ username, displayName }) {
        await later();
        account = { ...sampleAccount, hasRecoveryPhrase: true, username, displayName: displayName ?? username, address: username };
        return account;
      },
      async resolve(address) {
        await later();
        return find(address);
      },
      async acceptName(address) {
        await later();
        return find(address);
      },
      requests: async () => requests,
      async acceptRequest(id) {
        await later();
        const asked = requests.list.find((one) => one.id === id) ?? fail("unknown_request");
        requests = { ...requests, list: requests.list.filter((one) => one !== asked) };
        emit({ kind: "requests" });
        if (asked.state === "failed") fail("invitation_expired");
        const conversation: Conversation = {
          ...get("ben").conversation,
          id: `from-${id}`,
          title: asked.person.displayName,
          peer: asked.person,
        };
        const text = sampleMessage(conversation.id, asked.person, Date.now(), "Hello! Is this you?");
        samples.set(conversation.id, {
          conversation: { ...conversation, lastMessage: text, updatedAtMs: text.sentAtMs },
          messages: [text],
          members: [people.me, asked.person].map((one) => ({ person: one, role: "member", deviceCount: 1 })),
        });
        emit({ kind: "conversation", conversation: get(conversation.id).conversation });
        return get(conversation.id).conversation;
      },
      async declineRequest(id) {
        requests = { ...requests, list: requests.list.filter((one) => one.id !== id) };
        emit({ kind: "requests" });
      },
      async block(accountId) {
        setBlocked(accountId, true);
      },
      async unblock(accountId) {
        setBlocked(accountId, false);
      },
      blocked: async () => Object.values(people).filter((one) => blocked.has(one.accountId)),
      conversations: async () => [...samples.values()].map((one) => one.conversation),
      async details(id) {
        await later();
        const { conversation, members } = get(id);
        return { conversation, members, epoch: 7, cipherSuite: "X-Wing hybrid (post-quantum)", ...settingsOf(conversation.kind) };
      },
      async startConversation({ to, name }) {
        await later();
        const members = to.map(find);
        const [first] = members;
        const existing = [...samples.values()].find((one) => members.length === 1 && one.conversation.peer?.accountId === first?.accountId);
        if (existing !== undefined) return existing.conversation;
        const id = `new-${samples.size}`;
        const kind = members.length > 1 ? "group" : "direct";
        const created = sampleMessage(id, people.me, Date.now(), { kind: "created", name: name ?? "" });
        const conversation: Conversation = {
          id,
          kind,
          title: name ?? first?.displayName ?? "",
          peer: kind === "direct" ? first : undefined,
          memberCount: members.length + 1,
          lastMessage: created,
          updatedAtMs: Date.now(),
          unreadCount: 0,
          readThrough: 0,
          timerS: 0,
          draft: "",
          status: "active",
          stop: undefined,
          offers: [],
          continuedIn: undefined,
          invitations: [],
          receipts: [],
          isBlocked: false,
          own: nothingSetFor,
          host: sampleAccount.host,
        };
        samples.set(id, {
          conversation,
          messages: [created],
          members: [people.me, ...members].map((one, index) => ({ person: one, role: index === 0 ? "owner" : "member", deviceCount: 1 })),
        });
        emit({ kind: "conversation", conversation });
        return conversation;
      },
      // The app shows conversations, and goes through no archive.
      since: () => fail("server_refused"),
      async messages(id, { beforeOrder = Infinity, afterOrder, limit }) {
        await later();
        const found = get(id).messages.filter(({ order }) => order < beforeOrder && order > (afterOrder ?? -1));
        return afterOrder === undefined ? found.slice(-limit) : found.slice(0, limit);
      },
      placeAt: async (id, atMs) => get(id).messages.find(({ sentAtMs }) => sentAtMs >= atMs)?.order,
      unreadMentions: async () => [],
      async send(id, text) {
        const message = sampleMessage(id, people.me, Date.now(), text, { kind: "pending" });
        put(message);
        if (scene !== "offline") setTimeout(() => put({ ...message, delivery: { kind: "accepted", atMs: Date.now() } }), 400);
        if (scene === "usual") {
          const answer = get(id).members.find(({ person }) => !person.isSelf)?.person;
          setTimeout(() => put(sampleMessage(id, answer, Date.now(), `You said “${text.slice(0, 80)}”`)), 1800);
        }
        return message;
      },
      ...createFakeMessages({
        get,
        all: () => [...samples.values()].flatMap(({ messages }) => messages),
        put,
        later,
        send: (id, text) => Promise.resolve(sampleMessage(id, people.me, Date.now(), text)),
      }),
      async retry(id, messageId) {
        const found = get(id).messages.find((message) => message.id === messageId) ?? fail("unknown_message");
        put({ ...found, delivery: { kind: "pending" } });
        setTimeout(() => put({ ...found, delivery: { kind: "accepted", atMs: Date.now() } }), 600);
      },
      takeBack: async () => false,
      async discard(id, messageId) {
        const { messages } = get(id);
        messages.splice(
          messages.findIndex((message) => message.id === messageId),
          1,
        );
        emit({ kind: "hidden", conversationId: id, messageId });
        change(id, { lastMessage: messages.at(-1) });
      },
      async addMembers(id, addresses) {
        await later();
        const added = addresses.map(find);
        const { members } = get(id);
        samples.set(id, {
          ...get(id),
          members: [...members, ...added.map((one) => ({ person: one, role: "member", deviceCount: 1 }) as const)],
        });
        put(sampleMessage(id, people.me, Date.now(), { kind: "added", people: added }));
        change(id, { memberCount: members.length + added.length });
      },
      letBack: () => later(),
      ...createFakeReports(later),
      ...createFakeJoinLinks({ people, later, emit }),
      async setRole(id, accountIds, role) {
        await later();
        const found = get(id);
        const members = found.members.map((one) => (accountIds.includes(one.person.accountId) ? { ...one, role } : one));
        samples.set(id, { ...found, members });
        for (const { person } of members.filter((one) => accountIds.includes(one.person.accountId)))
          put(sampleMessage(id, people.me, Date.now(), { kind: "role_changed", role, person }));
      },
      async changeSettings(id, { name }) {
        await later();
        if (name === undefined) return;
        put(sampleMessage(id, people.me, Date.now(), { kind: "renamed", name }));
        change(id, { title: name });
      },
      async keepOut() {
        await later();
      },
      invitedBy: async () => [],
      reportToAdministrators: async () => [],
      groupReports: async () => [],
      async dismissGroupReport() {
        await later();
      },
      async removeMembers(id, accountIds) {
        await later();
        const found = get(id);
        const gone = found.members.flatMap(({ person }) => (accountIds.includes(person.accountId) ? [person] : []));
        samples.set(id, { ...found, members: found.members.filter(({ person }) => !accountIds.includes(person.accountId)) });
        put(sampleMessage(id, people.me, Date.now(), { kind: "removed", people: gone }));
        change(id, { memberCount: found.members.length - gone.length });
      },
      async removeUnproven(id) {
        await later();
        change(id, { stop: undefined, status: "active" });
      },
      async continueConversation(id) {
        await later();
        change(id, { stop: undefined, offers: [], status: "active" });
        return { conversation: get(id).conversation, unreachable: [] };
      },
      async acceptInvitation(id) {
        await later();
        change(id, { invitations: [], receipts: [], status: "active", stop: undefined });
      },
      async declineInvitation(id) {
        await later();
        change(id, { invitations: [] });
      },
      async leave(id) {
        await later();
        change(id, { status: "removed" });
      },
      async markRead(id) {
        change(id, { unreadCount: 0 });
      },
      async typing() {},
      changeProfile: () => later(),
      setPicture: () => later(),
      setGroupPicture: () => later(),
      picture: async () => undefined,
      whoHasRead: () => later(),
      quietHours: async () => ({}),
      pushKey: async () => undefined,
      pushEndpoint: async () => undefined,
      setPushEndpoint: async () => undefined,
      setQuietHours: () => later(),
      privacySettings: async () => ({ receipts: true, typing: true }),
      async changePrivacySettings() {},
      async saveDraft(id, text) {
        change(id, { draft: text });
      },
      mute: async (id, mutedUntil) => setOwn(id, { mutedUntil }),
      archive: async (id, isArchived = true) => setOwn(id, { isArchived }),
      pinConversation: async (id, pinnedPlace) => setOwn(id, { pinnedPlace }),
      markUnread: async (id, isMarkedUnread = true) => setOwn(id, { isMarkedUnread }),
      deleteConversation: async (id) => setOwn(id, { isDeleted: true }),
      async star(_, messageId, isStarred = true) {
        if (isStarred) stars.add(messageId);
        else stars.delete(messageId);
        emit({ kind: "starred" });
      },
      starred: async () => [...samples.values()].flatMap(({ messages }) => messages.filter(({ id }) => stars.has(id))),
      schedule: async (conversationId, text, { atMs }) => {
        const message = { id: String(scheduled.size + 1), conversationId, text, atMs, state: "waits", failure: undefined } as const;
        scheduled.set(message.id, message);
        emit({ kind: "scheduled" });
        return message;
      },
      scheduled: async (id) => [...scheduled.values()].filter((one) => id === undefined || one.conversationId === id),
      async changeScheduled(id, planned) {
        const known = scheduled.get(id);
        if (known !== undefined) scheduled.set(id, { ...known, text: planned.text ?? known.text, atMs: planned.atMs ?? known.atMs });
        emit({ kind: "scheduled" });
      },
      async cancelScheduled(id) {
        scheduled.delete(id);
        emit({ kind: "scheduled" });
      },
      async sendScheduledNow(id) {
        scheduled.delete(id);
        emit({ kind: "scheduled" });
      },
      async remind() {},
      reminders: async () => [],
      decideDraft: async (id, isTaken) => {
        const { own, draft } = get(id).conversation;
        change(id, { draft: isTaken ? own.otherDraft : draft, own: { ...own, otherDraft: "" } });
      },
      async inspect() {
        await later();
        const held = JSON.stringify(
          {
            format: 1,
            host: "chat.example.org",
            account_id: "mB2s0vZk1JYQ7W3m",
            version: 1,
            history_bytes: 812,
            updates: { day: "2026-10-14", count: 1 },
            usernames: [{ username: "ada", status: "held", binding: "c2lnbmVk".repeat(30) }],
            devices: [
              {
                device_id: "9f2KcQ",
                inbox_last_seq: 14,
                inbox_items: [],
                key_packages: Array.from({ length: 99 }, () => ({ kind: "one-time" })),
              },
            ],
            explanations: {
              host: "The server that wrote this.",
              account_id: "The account's id: the hash of its first state.",
              "devices[].inbox_items": "Sealed items that wait for the device. Nothing says who sent them.",
              "devices[].key_packages": "Keys with which others can add the device to a group.",
              not_held: "The server does not hold: messages or files that it can read, who talks with whom, groups and their members.",
            },
          },
          undefined,
          2,
        );
        return { url: `data:application/json,${encodeURIComponent(held)}`, ticket: "" };
      },
      settle: async () => undefined,
      wake: () => undefined,
    },
  };
}
