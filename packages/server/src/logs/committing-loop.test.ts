import type { LogReply, LogRequest } from "@latchkey/protocol";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { sha256 } from "../hash.ts";
import type { RunningServer } from "../server.ts";
import { createLog, createTestLog, entryBytes, none, openLog, random, runServer } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";

type Client = TestClient<"log">;

function commit(log: TestLog, epochId: number, afterSeq: number = 0): { request: LogRequest & { kind: "commit" }; access: Uint8Array } {
  const access = random(32);
  const blob = entryBytes(1024);
  return {
    request: { kind: "commit", logId: log.logId, epochId, afterSeq, nextAccessHash: sha256(access), blob, token: none },
    access,
  };
}

/** A server, a log on it, and what its members know: the access keys of its epochs, and which is the newest. */
class Group {
  readonly server: RunningServer;
  readonly log: TestLog;
  readonly access = new Map<number, Uint8Array>();
  newest = 0;
  over = false;

  private constructor(server: RunningServer, log: TestLog) {
    this.server = server;
    this.log = log;
    this.access.set(0, log.access);
    onTestFinished(() => {
      this.over = true;
    });
  }

  static async create(): Promise<Group> {
    const server = await runServer();
    const log = createTestLog();
    await createLog(await TestClient.connect(server.url, "log"), log);
    return new Group(server, log);
  }

  async open(client: Client, epochId: number): Promise<LogReply> {
    const access = this.access.get(epochId) ?? none;
    return client.ask({ kind: "open", logId: this.log.logId, epochId, access, afterSeq: 0, closed: [] });
  }

  /** A member that has the epoch open commits to it; every member that can read it then knows the new one. */
  async commit(client: Client, epochId: number): Promise<LogReply> {
    const { request, access } = commit(this.log, epochId);
    const reply = await client.ask(request);
    if (reply.kind === "accepted") {
      this.access.set(reply.seq, access);
      this.newest = Math.max(this.newest, reply.seq);
    }
    return reply;
  }

  /** Commits as fast as it can on each connection, each time to the newest epoch, which it knows before anybody else. */
  async attack(connections: number): Promise<void> {
    const clients = await Promise.all(Array.from({ length: connections }, () => TestClient.connect(this.server.url, "log")));
    for (const client of clients) {
      await this.open(client, 0);
      void this.#loop(client).catch(() => undefined);
    }
  }

  async #loop(client: Client): Promise<void> {
    while (!this.over) {
      const epochId = this.newest;
      await this.open(client, epochId);
      const reply = await this.commit(client, epochId);
      client.events.splice(0);
      if (reply.kind === "error") await wait(Math.max(1, reply.retryAfterMs));
    }
  }

  /** A manager reads each commit, which takes it a while, and then makes its own; gives how long it took until one was accepted. */
  async manage(client: Client, processingMs: number): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const epochId = this.newest;
      await wait(processingMs);
      await this.open(client, epochId);
      const reply = await this.commit(client, epochId);
      if (reply.kind === "accepted") return performance.now() - startMs;
      if (reply.kind !== "error") throw new Error(reply.kind);
      await wait(reply.retryAfterMs);
    }
  }
}

describe("[E-73] a manager's commit against a member that commits in a loop, over real sockets", () => {
  test.each([1, 20])("on %i connections: within ten seconds", async (connections) => {
    const group = await Group.create();
    const manager = await TestClient.connect(group.server.url, "log");
    await group.open(manager, 0);
    await group.attack(connections);
    while (group.newest < 20) await wait(10);
    expect(await group.manage(manager, 100)).toBeLessThan(10_000);
  });
});

describe("[L-6] a retry gets its first result before any limit", () => {
  test("also of a commit in the middle of a window, and of one that comes too soon for its connection", async () => {
    const group = await Group.create();
    const client = await TestClient.connect(group.server.url, "log");
    await openLog(client, group.log);
    const first = commit(group.log, 0);
    const accepted = await client.ask(first.request);
    expect(accepted.kind).toBe("accepted");
    // A second commit of the epoch by the same connection would come too soon.
    expect(await client.ask(commit(group.log, 0, 1).request)).toMatchObject({ kind: "error", code: "rate_limited" });
    expect(await client.ask(first.request)).toEqual(accepted);
    // Heat the log up: then everything new waits.
    group.access.set(1, first.access);
    group.newest = 1;
    for (let at = 0; at < 40; at++) {
      const epochId = group.newest;
      await group.open(client, epochId);
      await group.commit(client, epochId);
    }
    const waiting = commit(group.log, group.newest);
    await group.open(client, group.newest);
    const sent = client.ask(waiting.request);
    expect(await client.ask(first.request)).toEqual(accepted);
    const seq = await sent;
    expect(seq.kind).toBe("accepted");
    expect(await client.ask(waiting.request)).toEqual(seq);
  });

  test("[L-13] and of a message above the rate of one connection in one log; another connection has a rate of its own", async () => {
    const server = await runServer({ limits: { appendRate: { burst: 3, perSecond: 0.001 } } });
    const [mallory, alice] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "log")];
    const log = createTestLog();
    await createLog(mallory, log);
    await openLog(alice, log);
    const append = (): LogRequest => ({
      kind: "append",
      logId: log.logId,
      epochId: 0,
      entryKind: "message",
      blob: entryBytes(512),
    });
    const first = append();
    const accepted = await mallory.ask(first);
    for (let at = 0; at < 2; at++) expect(await mallory.outcome(append())).toBe("accepted");
    expect(await mallory.ask(append())).toMatchObject({ kind: "error", code: "rate_limited", retryAfterMs: expect.any(Number) });
    expect(await mallory.ask(first)).toEqual(accepted);
    expect(await alice.outcome(append())).toBe("accepted");
  });

  describe("[L-13] where a connection has one message at once, and one a second", () => {
    const setUp = async () => {
      let nowMs = Date.now();
      const server = await runServer({ limits: { appendRate: { burst: 1, perSecond: 1 } } }, { nowMs: () => nowMs });
      const alice = await TestClient.connect(server.url, "log");
      const log = createTestLog();
      await createLog(alice, log);
      const append = (): LogRequest => ({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) });
      const outcomes = async (...requests: readonly LogRequest[]): Promise<string[]> => {
        const found: string[] = [];
        for (const request of requests) found.push(await alice.outcome(request));
        return found;
      };
      return { append, outcomes, pass: () => (nowMs += 1000) };
    };

    test("one that was refused is not overtaken by one that was sent behind it", async () => {
      const { append, outcomes, pass } = await setUp();
      const [first, second, third] = [append(), append(), append()];
      expect(await outcomes(first, second)).toEqual(["accepted", "rate_limited"]);
      pass();
      expect(await outcomes(third, second)).toEqual(["rate_limited", "accepted"]);
      pass();
      expect(await outcomes(third)).toEqual(["accepted"]);
    });

    test("one that is stored already, as after a connection that broke, is waited for by nobody", async () => {
      const { append, outcomes, pass } = await setUp();
      const [known, next] = [append(), append()];
      expect(await outcomes(known, known)).toEqual(["accepted", "accepted"]);
      pass();
      expect(await outcomes(next)).toEqual(["accepted"]);
    });
  });

  test("a commit that waits when its connection closes the log is answered", async () => {
    const group = await Group.create();
    const client = await TestClient.connect(group.server.url, "log");
    await openLog(client, group.log);
    for (let at = 0; at < 34; at++) {
      const epochId = group.newest;
      await group.open(client, epochId);
      await group.commit(client, epochId);
    }
    await group.open(client, group.newest);
    const sent = client.ask(commit(group.log, group.newest).request);
    await client.ask({ kind: "close", logId: group.log.logId });
    expect(await sent).toMatchObject({ kind: "error", code: "wrong_access_key" });
  });
});
