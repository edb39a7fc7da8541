import { equalBytes } from "@latchkey/codec";
import { entryLeaf, entryLeafOf, firstHead, nextHead } from "@latchkey/protocol";
import type { LogReply, LogRequest } from "@latchkey/protocol";
import { describe, expect, test, vi } from "vitest";
import { sha256 } from "../hash.ts";
import { createLog, createTestLog, entryBytes, none, openLog, random, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import type { RunningServer } from "../server.ts";

type Client = TestClient<"log">;

function append(log: TestLog, epochId: number = 0, blob: Uint8Array = entryBytes(512)): LogRequest & { kind: "append" } {
  return { kind: "append", logId: log.logId, epochId, entryKind: "message", blob };
}

/** A commit, with the access key of the epoch that it opens. */
function commit(log: TestLog, epochId: number, afterSeq: number = 0): { request: LogRequest & { kind: "commit" }; child: TestLog } {
  const child = { logId: log.logId, access: random(32) };
  const nextAccessHash = sha256(child.access);
  return {
    request: { kind: "commit", logId: log.logId, epochId, afterSeq, nextAccessHash, blob: entryBytes(1024), token: none },
    child,
  };
}

async function ok(client: Client, request: LogRequest): Promise<number> {
  const reply = await client.ask(request);
  if (reply.kind !== "accepted") throw new Error(`refused: ${JSON.stringify(reply)}`);
  return reply.seq;
}

/** Events in short: `3` an entry, `s3` a sealed one. */
function short(events: readonly LogReply[]): string {
  return events
    .map((event) => (event.kind === "entry" ? `${event.seq}` : event.kind === "sealed" ? `s${event.seq}` : event.kind))
    .join(" ");
}

async function withLog(): Promise<{ server: RunningServer; alice: Client; log: TestLog }> {
  const server = await runServer();
  const alice = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(alice, log);
  return { server, alice, log };
}

describe("opening", () => {
  test("the answer says where the log stands", async () => {
    const { server, alice, log } = await withLog();
    await ok(alice, append(log));
    const accepted = await alice.ask(append(log));
    const bob = await TestClient.connect(server.url, "log");
    const opened = await bob.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 2, closed: [] });
    expect(opened).toMatchObject({ kind: "opened", currentEpochId: 0, lastSeq: 2, firstSeq: 1 });
    expect(opened).toMatchObject({
      head: accepted.kind === "accepted" ? accepted.head : none,
      headBeforeFirst: firstHead(sha256, log.logId),
    });
    await bob.settle();
    expect(bob.events).toEqual([]);
  });

  test("[L-3] closed epochs are open before the stream starts; one whose key is another is passed over", async () => {
    const { server, alice, log } = await withLog();
    const { request, child } = commit(log, 0);
    await ok(alice, request);
    await ok(alice, { ...append(log), entryKind: "complaint" });
    const bob = await TestClient.connect(server.url, "log");
    const open = { kind: "open", logId: log.logId, epochId: 1, access: child.access, afterSeq: 0 } as const;
    const strange = [
      { epochId: 0, access: random(32) },
      { epochId: 7, access: log.access },
    ];
    expect(await bob.outcome({ ...open, closed: strange })).toBe("opened");
    expect((await bob.take(2)).map(({ kind }) => kind)).toEqual(["sealed", "sealed"]);
    expect(await bob.outcome({ ...append(log), entryKind: "complaint" })).toBe("wrong_access_key");
    const cyd = await TestClient.connect(server.url, "log");
    expect(await cyd.outcome({ ...open, closed: [...strange, { epochId: 0, access: log.access }] })).toBe("opened");
    expect((await cyd.take(2)).map(({ kind }) => kind)).toEqual(["entry", "entry"]);
    expect(await cyd.outcome({ ...append(log), entryKind: "complaint" })).toBe("accepted");
  });

  test("[L-3] a wrong access key, an unknown log and an unknown epoch are refused, and nothing follows", async () => {
    const { server, alice, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    expect(await openLog(bob, { ...log, access: random(32) })).toBe("wrong_access_key");
    expect(await openLog(bob, createTestLog())).toBe("unknown_log");
    expect(await openLog(bob, log, 5)).toBe("unknown_epoch");
    await ok(alice, append(log));
    await bob.settle();
    expect(bob.events).toEqual([]);
    expect(await bob.outcome(append(log))).toBe("wrong_access_key");
    expect(await bob.outcome(append(createTestLog()))).toBe("unknown_log");
  });

  test("a log's id is taken once; its creator may repeat itself", async () => {
    const { alice, log } = await withLog();
    await createLog(alice, log);
    expect(await alice.outcome({ kind: "create", logId: log.logId, accessHash: random(32), token: none })).toBe("log_exists");
  });

  test("open and append may be sent without waiting in between", async () => {
    const { server, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    const replies = await Promise.all([
      openLog(bob, log),
      bob.outcome(append(log)),
      bob.outcome({ kind: "close", logId: log.logId }),
      bob.outcome(append(log)),
    ]);
    expect(replies).toEqual(["opened", "accepted", "done", "wrong_access_key"]);
  });
});

describe("reading", () => {
  test("[L-3] of epochs that are not opened a reader gets the leaf only, and its head chain stays whole", async () => {
    const { server, alice, log } = await withLog();
    await ok(alice, append(log));
    const first = commit(log, 0);
    expect(await ok(alice, first.request)).toBe(2);
    expect(await openLog(alice, first.child, 2)).toBe("opened");
    await ok(alice, append(log, 2));
    const last = await alice.ask(append(log, 2));
    const bob = await TestClient.connect(server.url, "log");
    expect(await openLog(bob, first.child, 2)).toBe("opened");
    const events = await bob.take(4);
    expect(short(events)).toBe("s1 s2 3 4");
    let head = firstHead(sha256, log.logId);
    for (const event of events) {
      if (event.kind === "sealed") head = nextHead(sha256, head, entryLeafOf(sha256, log.logId, { ...event, kind: event.entryKind }));
      else if (event.kind === "entry") head = nextHead(sha256, head, entryLeaf(sha256, log.logId, { ...event, kind: event.entryKind }));
    }
    expect(last.kind === "accepted" && equalBytes(last.head, head)).toBe(true);
  });

  test("[L-3] the stream waits after the commit that ends the newest opened epoch, until its child is opened", async () => {
    const { server, alice, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    await openLog(bob, log);
    await ok(alice, append(log));
    const first = commit(log, 0);
    await ok(alice, first.request);
    await openLog(alice, first.child, 2);
    await ok(alice, append(log, 2));
    const second = commit(log, 2);
    await ok(alice, second.request);
    expect(short(await bob.take(2))).toBe("1 2");
    await bob.settle();
    expect(bob.events).toEqual([]);
    expect(await openLog(bob, first.child, 2)).toBe("opened");
    expect(short(await bob.take(2))).toBe("3 4");
    await openLog(alice, second.child, 4);
    await ok(alice, append(log, 4));
    await bob.settle();
    expect(bob.events).toEqual([]);
    await openLog(bob, second.child, 4);
    expect(short(await bob.take(1))).toBe("5");
    // Caught up: what comes now comes live.
    await ok(alice, append(log, 4));
    expect(short(await bob.take(1))).toBe("6");
  });

  test("[L-3] a reader that comes back behind a commit that it skipped gets what follows", async () => {
    const { server, alice, log } = await withLog();
    const first = commit(log, 0);
    await ok(alice, first.request);
    await openLog(alice, first.child, 1);
    await ok(alice, append(log, 1));
    const [bob, carol] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "log")];
    await openLog(carol, log);
    await ok(carol, commit(log, 0, 1).request);
    expect(await openLog(bob, log, 0, 1)).toBe("opened");
    expect(short(await bob.take(2))).toBe("s2 3");
    await bob.settle();
    expect(bob.events).toEqual([]);
  });

  test("a reader who cannot follow a commit opens its epoch again and finds the sibling", async () => {
    const { server, alice, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    await openLog(bob, log);
    const broken = commit(log, 0);
    await ok(alice, broken.request);
    await openLog(alice, broken.child, 1);
    await ok(alice, append(log, 1));
    const sibling = commit(log, 0, 1);
    const carol = await TestClient.connect(server.url, "log");
    await openLog(carol, log);
    expect(await ok(carol, sibling.request)).toBe(3);
    await openLog(alice, sibling.child, 3);
    await ok(alice, append(log, 3));
    expect(short(await bob.take(1))).toBe("1");
    await openLog(bob, log);
    expect(short(await bob.take(2))).toBe("s2 3");
    await bob.settle();
    expect(bob.events).toEqual([]);
    await openLog(bob, sibling.child, 3);
    expect(short(await bob.take(1))).toBe("4");
  });

  test("a closed log sends nothing more", async () => {
    const { server, alice, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    await openLog(bob, log);
    await bob.outcome({ kind: "close", logId: log.logId });
    await ok(alice, append(log));
    await bob.settle();
    expect(bob.events).toEqual([]);
  });

  test("a thousand entries are caught up in order while more come in", async () => {
    const { server, alice, log } = await withLog();
    const send = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => ok(alice, append(log))));
    await send(1000);
    const bob = await TestClient.connect(server.url, "log");
    const more = send(500);
    await openLog(bob, log, 0, 100);
    await more;
    const events = await bob.take(1400);
    expect(short(events)).toBe(Array.from({ length: 1400 }, (_, index) => `${index + 101}`).join(" "));
  });

  test("a reader that does not read holds up nobody, costs bounded memory, and catches up when it reads again", async () => {
    const { server, alice, log } = await withLog();
    const slow = await TestClient.connect(server.url, "log");
    const quick = await TestClient.connect(server.url, "log");
    await openLog(slow, log);
    await openLog(quick, log);
    slow.socket.pause();
    const count = 300;
    for (let sent = 0; sent < count; sent += 20) {
      await Promise.all(Array.from({ length: 20 }, () => ok(alice, append(log, 0, entryBytes(60_000)))));
    }
    expect(await quick.take(count)).toHaveLength(count);
    slow.socket.resume();
    expect(short(await slow.take(count))).toBe(Array.from({ length: count }, (_, index) => `${index + 1}`).join(" "));
  });
});

describe("appending", () => {
  test("[L-4] a message to a closed epoch is stale; [L-5] the loser of a race for an epoch gets conflict", async () => {
    const { server, alice, log } = await withLog();
    const bob = await TestClient.connect(server.url, "log");
    await openLog(bob, log);
    const outcomes = await Promise.all([alice.outcome(commit(log, 0).request), bob.outcome(commit(log, 0).request)]);
    expect(outcomes.sort()).toEqual(["accepted", "conflict"]);
    expect(await alice.outcome(append(log))).toBe("stale");
    expect(await alice.outcome({ ...append(log), entryKind: "complaint" })).toBe("accepted");
    expect(await alice.outcome({ ...append(log), entryKind: "commit" })).toBe("not_allowed_here");
    const missing = entryBytes(512, [{ blobId: random(32), hash: random(32), sizeBytes: 1 }]);
    expect(await alice.outcome({ ...append(log), entryKind: "complaint", blob: missing })).toBe("unknown_blob");
  });

  test("[L-16] complaints beyond those taken at once come by turns, whoever has the key; messages and a retry do not wait for them", async () => {
    const server = await runServer({ limits: { complaintsAtOnce: 5 } });
    const [alice, bob] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "log")];
    const log = createTestLog();
    await createLog(alice, log);
    await openLog(bob, log);
    const ending = commit(log, 0);
    const child = await ok(alice, ending.request);
    const complaint = (): LogRequest => ({ ...append(log), entryKind: "complaint" });
    const first = complaint();
    const accepted = await bob.ask(first);
    const rest = await Promise.all(Array.from({ length: 20 }, () => bob.ask(complaint())));
    expect(rest.filter(({ kind }) => kind === "accepted").length).toBeLessThan(8);
    const refused = rest.filter(({ kind }) => kind === "error");
    expect(refused.length).toBeGreaterThan(10);
    for (const answer of refused) expect(answer).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
    expect(await bob.ask(first)).toEqual(accepted);
    expect(await openLog(alice, ending.child, child)).toBe("opened");
    expect(await alice.outcome(append(log, child))).toBe("accepted");
    expect(await alice.outcome(complaint())).toBe("accepted");
  });

  test("[L-16] when a log has been closed on a connection, its complaint that waited is answered", async () => {
    const server = await runServer({ limits: { complaintsAtOnce: 2 } });
    const alice = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(alice, log);
    const complaint = (): LogRequest => ({ ...append(log), entryKind: "complaint" });
    for (let at = 0; at < 3; at++) expect(await alice.outcome(complaint())).toBe("accepted");
    const sent = alice.ask(complaint());
    await alice.ask({ kind: "close", logId: log.logId });
    expect(await sent).toMatchObject({ kind: "error", code: "wrong_access_key" });
  });

  test("[L-6] the same bytes again get the same answer, from anybody and any connection, and no second entry", async () => {
    const { server, alice, log } = await withLog();
    const request = append(log);
    const first = await alice.ask(request);
    const ending = commit(log, 0).request;
    const second = await alice.ask(ending);
    const bob = await TestClient.connect(server.url, "log");
    expect(await alice.ask(request)).toEqual(first);
    expect(await bob.ask(request)).toEqual(first);
    expect(await bob.ask(ending)).toEqual(second);
    await alice.settle();
    expect(short(alice.events)).toBe("1 2");
  });

  test("the author is answered before it reads its own entry", async () => {
    const { alice, log } = await withLog();
    const kinds: string[] = [];
    alice.socket.on("message", (data: Buffer) => kinds.push(data.readUInt32BE(0) === 0 ? "event" : "answer"));
    await ok(alice, append(log));
    await alice.take(1);
    expect(kinds).toEqual(["answer", "event"]);
  });
});

describe("retention", () => {
  test("[L-8] who asks for a purged prefix is told the first entry kept and the head before it", async () => {
    const day = 86_400_000;
    let nowMs = 20_000 * day;
    const directory = temporaryDirectory();
    const log = createTestLog();
    const old = await runServer({ dataDirectory: directory }, { nowMs: () => nowMs });
    const alice = await TestClient.connect(old.url, "log");
    await createLog(alice, log);
    const second = [await alice.ask(append(log)), await alice.ask(append(log))][1];
    nowMs += 31 * day;
    await ok(alice, append(log));
    await old.close();
    // Housekeeping runs at the start, too, beside what is asked meanwhile.
    const server = await runServer({ dataDirectory: directory }, { nowMs: () => nowMs });
    const { bob, opened } = await vi.waitFor(async () => {
      const bob = await TestClient.connect(server.url, "log");
      await bob.settle();
      const opened = await bob.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 1, closed: [] });
      expect(opened).toMatchObject({ firstSeq: 3 });
      return { bob, opened };
    });
    expect(opened).toMatchObject({
      kind: "opened",
      firstSeq: 3,
      lastSeq: 3,
      headBeforeFirst: second?.kind === "accepted" ? second.head : none,
    });
    expect(short(await bob.take(1))).toBe("3");
  });
});
