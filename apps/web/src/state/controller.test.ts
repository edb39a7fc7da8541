import { describe, expect, it, vi } from "vitest";
import type { ClientEvent, ClientFailure, Conversation, Message } from "@latchkey/client";
import { me, testConversation, testMessage, testPerson } from "../testing/fixtures.ts";
import { RemoteError } from "../worker/protocol.ts";

import type { ClientHost } from "../worker/remote-client.ts";
import { createController } from "./controller.ts";
import type { Controller } from "./controller.ts";

interface Setup {
  readonly controller: Controller;
  readonly client: ClientHost["client"];
  emit(event: ClientEvent): void;
}

async function setUp(params: {
  conversation?: Partial<Conversation>;
  messages?: readonly Message[];
  client?: Partial<ClientHost["client"]>;
}): Promise<Setup> {
  const listeners = new Set<(event: ClientEvent) => void>();
  const all = params.messages ?? [];
  const client: Partial<ClientHost["client"]> = {
    pendingAccount: async () => undefined,
    account: async () => ({ ...testPerson("me", true), deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: false, isRecovered: false }),
    connection: async () => ({ kind: "online" }),
    conversations: async () => [testConversation(params.conversation)],
    serverInfo: async () => ({ host: "a.example", name: "A", registration: "open", retentionDays: 30, announcement: "" }),
    messages: async (_id, { beforeOrder = Infinity, afterOrder, limit }) => {
      const found = all.filter(({ order }) => order < beforeOrder && order > (afterOrder ?? -1));
      return afterOrder === undefined ? found.slice(-limit) : found.slice(0, limit);
    },
    alarms: async () => [],
    verification: async () => ({ members: [], hold: undefined, away: [], mayLetBack: false, mayRemove: false }),
    saveDraft: vi.fn(async () => undefined),
    markRead: vi.fn(async () => undefined),
    ...params.client,
  };
  const host: ClientHost = {
    // The tests call nothing else.
    client: client as ClientHost["client"],
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    status: () => ({ kind: "ready" }),
    subscribeStatus: () => () => undefined,
    reopen: () => undefined,
    startOver: () => undefined,
    lock: async () => ({ kind: "done" }),
    active: () => undefined,
    goesOn: () => undefined,
    leave: () => undefined,
  };
  const controller = createController(host, (run) => run());
  await vi.waitFor(() => expect(controller.store.get().phase.kind).toBe("ready"));
  return {
    controller,
    client: host.client,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
  };
}

const many = Array.from({ length: 300 }, (_, order) => testMessage({ order }));

describe("opening a conversation", () => {
  it("loads what stands around the line of new messages, and shows both at once", async () => {
    const { controller } = await setUp({ conversation: { unreadCount: 200, readThrough: 99 }, messages: many });
    const seen: [number | undefined, number, number | undefined, string | undefined][] = [];
    controller.store.subscribe(() => {
      const timeline = controller.store.get().timelines.get("c");
      if (timeline === undefined || timeline.messages.length === 0) return;
      seen.push([timeline.messages[0]?.order, timeline.messages.length, timeline.newAfter, timeline.landing?.to.kind]);
    });
    controller.open("c");
    await vi.waitFor(() => expect(seen).not.toEqual([]));
    expect(seen[0]).toEqual([50, 100, 99, "unread"]);
  });
});

describe("sending", () => {
  it("shows the message before the client has it, and once only afterwards", async () => {
    let accept: (message: Message) => void = () => undefined;
    const { controller, emit } = await setUp({ client: { send: () => new Promise((resolve) => (accept = resolve)) } });
    controller.open("c");
    const sent = controller.send("c", "hello");
    expect(controller.store.get().outgoing).toMatchObject([{ text: "hello", messageId: undefined }]);
    const message = testMessage({ order: 9, author: me, body: { kind: "text", text: "hello" }, delivery: { kind: "pending" } });
    emit({ kind: "message", message, isNew: true });
    accept(message);
    await sent;
    expect(controller.store.get().outgoing).toMatchObject([{ messageId: "m9" }]);
    expect(
      controller.store
        .get()
        .timelines.get("c")
        ?.messages.filter(({ id }) => id === "m9"),
    ).toHaveLength(1);
  });

  it("takes back what could not be queued, and says why", async () => {
    const failure = { code: "message_too_large", message: "", canRetry: false } as const;
    const { controller } = await setUp({ client: { send: () => Promise.reject(new RemoteError(failure)) } });
    await expect(controller.send("c", "x")).rejects.toMatchObject({ failure });
    expect(controller.store.get().outgoing).toEqual([]);
  });
});

describe("drafts and reading", () => {
  it("keeps a draft at once and hands it to the client when asked", async () => {
    const { controller, client } = await setUp({ conversation: { draft: "from before" } });
    expect(controller.draft("c")).toBe("from before");
    controller.setDraft("c", "new");
    expect(controller.draft("c")).toBe("new");
    void controller.flushDrafts();
    expect(client.saveDraft).toHaveBeenCalledExactlyOnceWith("c", "new");
  });

  it("keeps what is taken back beside what is typed meanwhile, also where the client has that already", async () => {
    let answer: (isTaken: boolean) => void = () => undefined;
    const takeBack = vi.fn(async () => new Promise<boolean>((resolve) => (answer = resolve)));
    const { controller } = await setUp({ client: { takeBack } });
    const taking = controller.takeBack(testMessage({ order: 1, author: me, body: { kind: "text", text: "sent" } }));
    await vi.waitFor(() => expect(takeBack).toHaveBeenCalledOnce());
    controller.setDraft("c", "typed");
    await controller.flushDrafts();
    answer(true);
    await taking;
    expect(controller.draft("c")).toBe("sent\ntyped");
  });

  it("takes over a draft of another device, and never one over what is being written here", async () => {
    const { controller, emit } = await setUp({ conversation: { draft: "here" } });
    const tell = (draft: string): void => emit({ kind: "conversation", conversation: testConversation({ draft }) });
    tell("from elsewhere");
    expect(controller.draft("c")).toBe("from elsewhere");
    controller.setDraft("c", "typed");
    tell("from elsewhere, on");
    expect(controller.draft("c")).toBe("typed");
    void controller.flushDrafts();
    // What was told before the client had it.
    tell("from elsewhere, on");
    expect(controller.draft("c")).toBe("typed");
    await new Promise((resolve) => setTimeout(resolve));
    tell("typed");
    expect(controller.draft("c")).toBe("typed");
    tell("decided");
    expect(controller.draft("c")).toBe("decided");
  });

  it("opens what was marked as unread, and takes the mark away", async () => {
    const markUnread = vi.fn(async () => undefined);
    const own = { ...testConversation().own, isMarkedUnread: true };
    const { controller } = await setUp({ conversation: { own }, client: { markUnread } });
    controller.open("c");
    expect(markUnread).toHaveBeenCalledExactlyOnceWith("c", false);
  });

  it("tells each place that was read once", async () => {
    const { controller, client } = await setUp({});
    for (const order of [3, 3, 2, 5]) controller.markRead("c", order);
    expect(vi.mocked(client.markRead).mock.calls).toEqual([
      ["c", 3],
      ["c", 5],
    ]);
  });

  it("forgets what another tab discarded", async () => {
    const { controller, emit } = await setUp({ messages: [testMessage({ order: 1 })] });
    controller.open("c");
    await vi.waitFor(() => expect(controller.store.get().timelines.get("c")?.messages).toHaveLength(1));
    emit({ kind: "hidden", conversationId: "c", messageId: "m1" });
    expect(controller.store.get().timelines.get("c")?.messages).toEqual([]);
  });
});

describe("account and devices", () => {
  const failure = { code: "account_changed", message: "", canRetry: false } as const;

  it("shows the client's warnings after a reload, and takes one away when it was handled", async () => {
    let alarms = [{ id: "a1", failure, conversationId: undefined, atMs: 1 }];
    const acknowledgeAlarm = vi.fn(async () => {
      alarms = [];
    });
    const { controller } = await setUp({ client: { alarms: async () => alarms, acknowledgeAlarm } });
    await vi.waitFor(() => expect(controller.store.get().alarms).toHaveLength(1));
    const [alarm] = controller.store.get().alarms;
    if (alarm !== undefined) await controller.handleAlarm(alarm);
    expect(acknowledgeAlarm).toHaveBeenCalledExactlyOnceWith("a1");
    expect(controller.store.get().alarms).toEqual([]);
  });

  it("keeps a warning on the screen when the client cannot take it away", async () => {
    const { controller } = await setUp({
      client: {
        alarms: async () => [{ id: "a1", failure, conversationId: undefined, atMs: 1 }],
        acknowledgeAlarm: () => Promise.reject(new RemoteError({ code: "offline", message: "", canRetry: true })),
      },
    });
    await vi.waitFor(() => expect(controller.store.get().alarms).toHaveLength(1));
    const [alarm] = controller.store.get().alarms;
    if (alarm !== undefined) await expect(controller.handleAlarm(alarm)).rejects.toMatchObject({ failure: { code: "offline" } });
    expect(controller.store.get().alarms).toHaveLength(1);
  });

  it("asks anew for devices and verification when they change, and only when they were looked at", async () => {
    const devices = vi.fn(async () => []);
    const verification = vi.fn(async () => ({ members: [], hold: undefined, away: [], mayLetBack: false, mayRemove: false }));
    const { controller, emit } = await setUp({ client: { devices, verification } });
    emit({ kind: "devices" });
    emit({ kind: "verification" });
    expect([devices.mock.calls.length, verification.mock.calls.length]).toEqual([0, 0]);
    await controller.loadDevices();
    await controller.loadVerification("c");
    emit({ kind: "devices" });
    emit({ kind: "verification" });
    await vi.waitFor(() => expect([devices.mock.calls.length, verification.mock.calls.length]).toEqual([2, 2]));
  });

  it("has the account and its conversations once a linking is done", async () => {
    let account: Awaited<ReturnType<ClientHost["client"]["account"]>> = undefined;
    const { controller, emit } = await setUp({ client: { account: async () => account } });
    expect(controller.store.get().account).toBeUndefined();
    account = { ...testPerson("me", true), deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: false, isRecovered: false };
    emit({ kind: "link", state: { kind: "moving", done: 1, total: 2 } });
    expect(controller.store.get().link).toEqual({ kind: "moving", done: 1, total: 2 });
    emit({ kind: "link", state: { kind: "done" } });
    await vi.waitFor(() => expect(controller.store.get().account?.username).toBe("me"));
  });

  it("breaks a linking off, but not one that is over", async () => {
    const cancelLink = vi.fn(async () => undefined);
    const { controller, emit } = await setUp({ client: { cancelLink } });
    emit({ kind: "link", state: { kind: "compare", digits: "123456", deviceName: "x" } });
    controller.endLink();
    expect(controller.store.get().link).toBeUndefined();
    expect(cancelLink).toHaveBeenCalledOnce();
    emit({ kind: "link", state: { kind: "failed", failure: { ...failure, code: "link_refused" } } });
    controller.endLink();
    expect(cancelLink).toHaveBeenCalledOnce();
  });

  it("forgets the recovery phrase when it is on paper", async () => {
    const forgetRecoveryPhrase = vi.fn(async () => undefined);
    const own = { ...testPerson("me", true), deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: true, isRecovered: false };
    const { controller } = await setUp({ client: { account: async () => own, forgetRecoveryPhrase } });
    controller.putOffRecovery();
    expect(controller.store.get().isRecoveryPutOff).toBe(true);
    await controller.finishRecovery();
    expect(forgetRecoveryPhrase).toHaveBeenCalledOnce();
    expect(controller.store.get().account?.hasRecoveryPhrase).toBe(false);
  });
});

describe("while the server is out of reach", () => {
  const outage = (nextTryMs: number): ClientEvent => ({
    kind: "connection",
    connection: { kind: "offline", sinceMs: 0, waitingCount: 0, nextTryMs },
  });

  it("it is tried every few seconds for whoever looks on, and left to its own pace for nobody", async () => {
    const wake = vi.fn();
    const { controller, emit } = await setUp({ client: { wake } });
    vi.useFakeTimers();
    try {
      emit(outage(Date.now() + 50_000));
      vi.advanceTimersByTime(5000);
      expect(wake).toHaveBeenCalledTimes(1);
      emit(outage(Date.now() + 40_000));
      controller.setAttentive(false);
      vi.advanceTimersByTime(30_000);
      expect(wake).toHaveBeenCalledTimes(1);
      controller.setAttentive(true);
      vi.advanceTimersByTime(5000);
      expect(wake).toHaveBeenCalledTimes(2);
      // Soon enough by itself; and what asks for patience is given it.
      emit(outage(Date.now() + 2000));
      emit({
        kind: "connection",
        connection: {
          kind: "offline",
          sinceMs: 0,
          waitingCount: 0,
          nextTryMs: Date.now() + 50_000,
          cause: { code: "app_outdated", message: "", canRetry: true },
        },
      });
      vi.advanceTimersByTime(60_000);
      expect(wake).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("what holds a conversation", () => {
  it("is asked for again when a warning was dealt with, which held it too", async () => {
    let hold: ClientFailure | undefined = { code: "account_changed", message: "", canRetry: false };
    const { controller, emit } = await setUp({
      client: { verification: async () => ({ members: [], hold, away: [], mayLetBack: false, mayRemove: false }) },
    });
    controller.open("c");
    await vi.waitFor(() => expect(controller.store.get().verifications.get("c")?.hold).toBeDefined());
    hold = undefined;
    emit({ kind: "alarms" });
    await vi.waitFor(() => expect(controller.store.get().verifications.get("c")?.hold).toBeUndefined());
  });
});

describe("leaving", () => {
  it("puts a conversation with one person out of the way, and leaves a group where it is", async () => {
    const [leave, archive] = [vi.fn(async () => undefined), vi.fn(async () => undefined)];
    const direct = await setUp({ client: { leave, archive } });
    await direct.controller.leave("c");
    expect([leave.mock.calls, archive.mock.calls]).toEqual([[["c"]], [["c", true]]]);
    const group = await setUp({ conversation: { kind: "group" }, client: { leave, archive } });
    await group.controller.leave("c");
    expect([leave.mock.calls.length, archive.mock.calls.length]).toEqual([2, 1]);
    // Nothing is put away that was not left.
    const failing = await setUp({ client: { leave: () => Promise.reject(new Error("offline")), archive } });
    await expect(failing.controller.leave("c")).rejects.toThrow("offline");
    expect(archive).toHaveBeenCalledTimes(1);
  });
});

describe("what is pinned", () => {
  it("is asked for again when it was changed, or deleted here", async () => {
    const message = testMessage({ order: 1 });
    const pinned = vi.fn(async () => [message]);
    const { controller, emit } = await setUp({ messages: [message], client: { pinned } });
    controller.open("c");
    await vi.waitFor(() => expect(controller.store.get().pins.get("c")).toEqual([message]));
    const changed = { ...message, body: { kind: "text", text: "Changed" } as const };
    pinned.mockResolvedValue([changed]);
    emit({ kind: "message", message: changed, isNew: false });
    await vi.waitFor(() => expect(controller.store.get().pins.get("c")).toEqual([changed]));
    pinned.mockResolvedValue([]);
    emit({ kind: "hidden", conversationId: "c", messageId: message.id });
    await vi.waitFor(() => expect(controller.store.get().pins.get("c")).toEqual([]));
  });
});

describe("quiet hours", () => {
  const night = { monday: { fromMinute: 1320, toMinute: 420 } };
  const longer = { monday: { fromMinute: 1200, toMinute: 420 } };

  it("are shown at once, and no answer that was asked for before takes their place", async () => {
    const { promise: old, resolve: answer } = Promise.withResolvers<typeof night>();
    const quietHours = vi.fn((): Promise<typeof night> => old);
    const setQuietHours = vi.fn(async () => undefined);
    const { controller } = await setUp({ client: { quietHours, setQuietHours } });
    await vi.waitFor(() => expect(quietHours).toHaveBeenCalled());
    quietHours.mockImplementation(async () => longer);
    const first = controller.setQuietHours(night);
    expect(controller.store.get().quietHours).toEqual(night);
    const second = controller.setQuietHours(longer);
    expect(controller.store.get().quietHours).toEqual(longer);
    answer({ monday: { fromMinute: 0, toMinute: 1 } });
    await Promise.all([first, second]);
    await vi.waitFor(() => expect(quietHours).toHaveBeenCalledTimes(2));
    expect(controller.store.get().quietHours).toEqual(longer);
    expect(setQuietHours.mock.calls).toEqual([[night], [longer]]);
  });

  it("stay as they were set last while the client still has what was set before", async () => {
    let kept: typeof night | undefined;
    const writes: (() => void)[] = [];
    const setQuietHours = vi.fn(async (hours: typeof night) => {
      await new Promise<void>((resolve) => writes.push(resolve));
      kept = hours;
    });
    const quietHours = vi.fn(async () => kept ?? {});
    const { controller } = await setUp({ client: { quietHours, setQuietHours } });
    const first = controller.setQuietHours(night);
    const second = controller.setQuietHours(longer);
    writes[0]?.();
    await first;
    await quietHours();
    await Promise.resolve();
    expect(controller.store.get().quietHours).toEqual(longer);
    writes[1]?.();
    await second;
    await vi.waitFor(() => expect(quietHours.mock.results).toHaveLength(3));
    expect(controller.store.get().quietHours).toEqual(longer);
  });

  it("are as they were where they could not be kept", async () => {
    const setQuietHours = vi.fn(() => Promise.reject(new Error("no room")));
    const { controller } = await setUp({ client: { quietHours: async () => night, setQuietHours } });
    await expect(controller.setQuietHours(longer)).rejects.toThrow("no room");
    await vi.waitFor(() => expect(controller.store.get().quietHours).toEqual(night));
  });
});

describe("where one stands in conversations", () => {
  it("is kept nowhere once there is no account here any more", async () => {
    const stored = new Map([["latchkey.places", JSON.stringify([["c", { order: 3, abovePx: 0 }]])]]);
    const storage = { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) };
    vi.stubGlobal("sessionStorage", storage);
    try {
      const { controller } = await setUp({});
      await controller.flushDrafts();
      expect(stored.get("latchkey.places")).toContain('"c"');
      const { controller: erased } = await setUp({ client: { account: async () => undefined, conversations: async () => [] } });
      expect(stored.get("latchkey.places")).toBe("[]");
      await erased.flushDrafts();
      expect(stored.get("latchkey.places")).toBe("[]");
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
