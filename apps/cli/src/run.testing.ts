import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { nothingSetFor } from "@latchkey/client/own";
import type { Client, ClientEvent, Conversation, ConversationDetails, Message, Person } from "@latchkey/client";
import type { Environment } from "./commands/command.ts";
import { runCli } from "./run.ts";

/** Whose profile it is, and whom they write to. */
export const ann: Person = person("ann", true);
export const ben: Person = person("ben", false);
/** The group that a fake client is in. */
export const groupId: string = "aGVsbG8td29ybGQtdGhpcy1pcy1hLWdyb3Vw";

function person(username: string, isSelf: boolean): Person {
  return {
    accountId: `account-${username}`,
    username,
    host: "localhost:8080",
    address: username,
    displayName: username,
    isSelf,
    besideName: undefined,
    isNameLookedUp: true,
  };
}

export function conversation(id: string, kind: "direct" | "group", title: string): Conversation {
  return {
    id,
    kind,
    title,
    peer: undefined,
    memberCount: 2,
    lastMessage: undefined,
    updatedAtMs: 0,
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
    host: "localhost:8080",
  };
}

export function textMessage(params: { id: string; order: number; text: string; author?: Person; at?: number; in?: string }): Message {
  const author = params.author ?? ben;
  return {
    id: params.id,
    conversationId: params.in ?? groupId,
    order: params.order,
    author,
    body: { kind: "text", text: params.text },
    sentAtMs: params.at ?? params.order,
    delivery: author.isSelf ? { kind: "accepted", atMs: 0 } : undefined,
  };
}

/** Which calls a command made, and a client that answers them. */
export interface Fake {
  readonly calls: unknown[][];
  readonly client: Client;
  emit(event: ClientEvent): void;
}

export function createFake(answers: Partial<Client> = {}): Fake {
  const calls: unknown[][] = [];
  const listeners = new Set<(event: ClientEvent) => void>();
  const defaults: Partial<Client> = {
    account: () => Promise.resolve({ ...ann, deviceId: "device", createdAtMs: 0, hasRecoveryPhrase: false, isRecovered: false }),
    conversations: () => Promise.resolve([conversation(groupId, "group", "Picnic")]),
    messages: () => Promise.resolve([]),
    settle: () => Promise.resolve(),
    connection: () => Promise.resolve({ kind: "online" }),
    requests: () => Promise.resolve({ list: [], dropped: 0 }),
    markRead: () => Promise.resolve(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => Promise.resolve(),
  };
  const client = new Proxy(
    {},
    {
      get(_target, name: keyof Client | "then") {
        // A client is no promise, whatever is asked of it.
        if (name === "then") return undefined;
        return (...args: unknown[]) => {
          if (name !== "subscribe") calls.push([name, ...args]);
          const method: unknown = answers[name] ?? defaults[name];
          if (typeof method !== "function") throw new Error(`unexpected call of ${name}`);
          return Reflect.apply(method, undefined, args);
        };
      },
    },
  );
  return {
    calls,
    // The proxy answers every method of a client.
    client: client as Client,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
  };
}

/** What a command left. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly opened: { home: string; serverUrl: string }[];
}

/** Runs a command line with a fake client and the profile in `home`. */
export async function runWith(
  home: string,
  args: readonly string[],
  fake: Fake = createFake(),
  over: Partial<Environment> = {},
): Promise<Run> {
  let stdout = "";
  let stderr = "";
  const opened: { home: string; serverUrl: string }[] = [];
  const status = await runCli(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    variables: { LATCHKEY_HOME: home },
    homeDirectory: "/home/nobody",
    workingDirectory: home,
    isTyped: true,
    readStdin: () => Promise.resolve("from a pipe\n"),
    readLine: () => Promise.resolve(""),
    readSecret: () => Promise.resolve(""),
    openClient({ share: _share, join: _join, ...params }) {
      opened.push(params);
      return Promise.resolve(fake.client);
    },
    stopRequested: () => Promise.resolve("SIGTERM" as const),
    onReloadRequested: () => undefined,
    ...over,
  });
  return { status, stdout, stderr, opened };
}

/** A profile for each test of a file, and command lines that are run with it. */
export interface ProfileOfEachTest {
  /** Its folder, within a test. */
  readonly home: string;
  readonly run: (args: readonly string[], fake?: Fake, over?: Partial<Environment>) => Promise<Run>;
}

/** Called once in a file of tests, outside of them. */
export function profileOfEachTest(): ProfileOfEachTest {
  let home = "";
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
  });
  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });
  return {
    get home() {
      return home;
    },
    run: (args, fake, over) => runWith(home, args, fake, over),
  };
}

type Settings = Omit<ConversationDetails, "conversation" | "members" | "epoch" | "cipherSuite">;
const renewed = { healsWithinDays: 7, keysRenewedAtMs: 1_790_000_000_000 } as const;
const plain = { description: "", timerS: 0, slowModeS: 0, keptOut: [], rights: undefined, successors: [], ...renewed } as const;
/** What `details` says of a conversation that the person is in, and of a group of their own. */
export const isIn: Settings = {
  ...plain,
  may: {
    add: false,
    remove: false,
    post: true,
    editInfo: false,
    timer: false,
    slowMode: false,
    pin: false,
    deleteOthers: false,
    invite: false,
    own: false,
  },
};
/** The same of a group of their own. */
export const ownsIt: Settings = {
  ...plain,
  may: {
    add: true,
    remove: true,
    post: true,
    editInfo: true,
    timer: true,
    slowMode: true,
    pin: true,
    deleteOthers: true,
    invite: true,
    own: true,
  },
};
