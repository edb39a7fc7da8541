import { expect, test } from "vitest";
import { offlineError } from "../errors.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer, settle } from "../transport/fake-server.testing.ts";
import { createDirectory } from "./directory.ts";
import { createFakeDirectory } from "./fake-directory.testing.ts";
import { loadOwnAccount } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";
import { PendingRegistration } from "./pending-registration.ts";
import { registerAccount } from "./registration.ts";

function world() {
  const server = createFakeServer("pending");
  const directory = createFakeDirectory(server);
  const { platform } = server;
  const open = (store: Store) => {
    const connections = createConnections({ platform, serverUrl: "https://chat.example" });
    const parts = { store, platform, connections, directory: createDirectory({ store, platform, connections }) };
    const done: OwnAccount[] = [];
    let changes = 0;
    const parted = { isAway: false };
    const pending = new PendingRegistration({
      ...parts,
      prepare: async () => {
        if (parted.isAway) throw offlineError();
      },
      onDone: async (own) => void done.push(own),
      onChange: () => {
        changes++;
      },
    });
    return {
      pending,
      done,
      parted,
      changes: () => changes,
      register: () => registerAccount({ ...parts, username: "ann" }),
    };
  };
  return { server, directory, open };
}

test("[A-2] an account that the server took and cannot prove stays, is told, and goes on by itself over a restart", async () => {
  const { server, directory, open } = world();
  const store = createMemoryStore();
  directory.proves = false;
  const first = open(store);
  const failure = await first.register().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "account_waits", canRetry: true, cause: { code: "directory_unproven" } });
  const begun = await store.transact("read", (tx) => loadOwnAccount(tx));
  expect(begun?.status).toBe("registering");
  first.pending.resume(failure);
  await settle();
  expect(first.pending.waiting).toMatchObject({ username: "ann", failure: { code: "account_waits" } });
  for (let minute = 0; minute < 5; minute++) {
    server.clock.advance(60_000);
    await settle();
  }
  expect(first.done).toEqual([]);
  await first.pending.close();

  const second = open(store);
  await second.pending.begin();
  expect(second.pending.waiting).toMatchObject({ username: "ann" });
  directory.proves = true;
  server.clock.advance(60_000);
  while (second.done.length === 0) await settle();
  expect(second.done[0]).toMatchObject({ status: "registered", username: "ann" });
  expect(second.done[0]?.accountId).toEqual(begun?.accountId);
  expect(second.pending.waiting).toBeUndefined();
  expect(second.changes()).toBe(2);
  expect(directory.accounts.size).toBe(1);
  // Nothing is left to do.
  const asked = directory.log.length;
  server.clock.advance(600_000);
  await settle();
  expect(directory.log.length).toBe(asked);
});

test("what never reached the server waits for the person, who may take another name; nothing is asked again and again", async () => {
  const { server, directory, open } = world();
  const store = createMemoryStore();
  directory.loseRequest.add("publish");
  const first = open(store);
  await expect(first.register()).rejects.toMatchObject({ code: "offline" });
  const second = open(store);
  await second.pending.begin();
  expect([second.pending.waiting, second.done]).toEqual([undefined, []]);
  const asked = directory.log.length;
  server.clock.advance(600_000);
  await settle();
  expect(directory.log.length).toBe(asked);
  await second.pending.pause();
  expect(await second.register()).toMatchObject({ status: "registered" });
});

test("an account counts only once the parts that it begins with are at hand, and goes on by itself when they are", async () => {
  const { server, directory, open } = world();
  const store = createMemoryStore();
  directory.proves = false;
  await expect(open(store).register()).rejects.toMatchObject({ code: "account_waits" });
  directory.proves = true;
  const second = open(store);
  second.parted.isAway = true;
  await second.pending.begin();
  server.clock.advance(60_000);
  await settle();
  expect(second.done).toEqual([]);
  expect((await store.transact("read", (tx) => loadOwnAccount(tx)))?.status).toBe("registering");
  second.parted.isAway = false;
  server.clock.advance(60_000);
  while (second.done.length === 0) await settle();
  expect(second.done[0]).toMatchObject({ status: "registered", username: "ann" });
});
