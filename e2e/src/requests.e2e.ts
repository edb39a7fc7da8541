import type { Client, ContactRequest, LinkState } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { holdingsText } from "@latchkey/client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ann: TestPerson;
let bob: TestPerson;
/** Ann's other device. */
let second: Client;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ann = await registerPerson({ home: folder.at("ann"), server: server.url, username: "ann", requests: "ask" });
  bob = await registerPerson({ home: folder.at("bob"), server: server.url, username: "bob" });
  second = await openNodeClient({ home: folder.at("ann-2"), serverUrl: server.url });
  await linkDevice(ann.client, second);
});

afterAll(async () => {
  await second.close();
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function linkDevice(existing: Client, added: Client): Promise<void> {
  const reached = (client: Client, kind: LinkState["kind"]): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = client.subscribe((event) => {
        if (event.kind !== "link" || (event.state.kind !== kind && event.state.kind !== "failed")) return;
        stop();
        if (event.state.kind === "failed") reject(new Error(event.state.failure.message));
        else resolve();
      });
    });
  const offer = await added.offerLink({ deviceName: "Tablet" });
  const compared = Promise.all([reached(existing, "compare"), reached(added, "compare")]);
  const done = Promise.all([reached(existing, "done"), reached(added, "done")]);
  done.catch(() => undefined);
  await Promise.all([existing.acceptLink(offer.code), compared]);
  await Promise.all([existing.confirmLink(true), added.confirmLink(true)]);
  await done;
}

/** Which capability each of Ann's inboxes has at the server. */
async function generations(): Promise<number[]> {
  const { devices } = JSON.parse(await holdingsText(ann.client)) as { devices: { inbox_capability: { generation: number } | null }[] };
  return devices.map(({ inbox_capability: capability }) => capability?.generation ?? 0);
}

async function asked(client: Client): Promise<ContactRequest> {
  return await eventually(client, async () => (await client.requests()).list[0], "a request comes");
}

describe("somebody who was not accepted yet", () => {
  test("[I-4] [E-46] waits on every device; accepted on one, the conversation is there on both, with what was written meanwhile", async () => {
    const { id } = await bob.client.startConversation({ to: ["ann"] });
    await sendAndWait(bob.client, id, "are you there?");
    const request = await asked(ann.client);
    expect(request).toMatchObject({ person: { username: "bob" }, count: 1, state: "asks" });
    await asked(second);
    for (const client of [ann.client, second]) expect(await client.conversations()).toEqual([]);
    const joined = await ann.client.acceptRequest(request.id);
    expect(joined?.id).toBe(id);
    for (const client of [ann.client, second]) await receiveText(client, id, "are you there?");
    await eventually(second, async () => ((await second.requests()).list.length === 0 ? true : undefined), "nothing waits any more");
  });

  test("[I-4] who is accepted adds one to a group without asking; whom one writes to first needs none either", async () => {
    const { id } = await bob.client.startConversation({ to: ["ann"], name: "Choir" });
    await sendAndWait(bob.client, id, "first rehearsal");
    await receiveText(ann.client, id, "first rehearsal");
    expect((await ann.client.requests()).list).toEqual([]);
  });

  test("[I-4] [E-44] blocked on one device is blocked on both: nothing of theirs comes, in the direct conversation or a new one", async () => {
    const direct = await bob.client.startConversation({ to: ["ann"] });
    const { accountId } = await bob.client.resolve("bob");
    const before = Math.max(...(await generations()));
    await ann.client.block(accountId);
    const isBlocked = async (): Promise<true | undefined> =>
      (await second.blocked()).some(({ username }) => username === "bob") ? true : undefined;
    await eventually(second, isBlocked, "the other device knows");
    // Neither inbox knows him any more (spec I-1), and it is one change for both devices.
    await expect.poll(async () => (await generations()).every((generation) => generation > before)).toBe(true);
    expect(new Set(await generations()).size).toBe(1);
    await sendAndWait(bob.client, direct.id, "unwanted");
    await bob.client.startConversation({ to: ["ann"], name: "Another choir" });
    await bob.client.settle();
    for (const client of [ann.client, second]) {
      await client.settle();
      expect(await textsOf(client, direct.id)).not.toContain("unwanted");
      expect((await client.conversations()).some(({ title }) => title === "Another choir")).toBe(false);
      await expect(client.send(direct.id, "no")).rejects.toMatchObject({ code: "blocked" });
    }
    await second.unblock(accountId);
    await eventually(ann.client, async () => ((await ann.client.blocked()).length === 0 ? true : undefined), "let in again");
    await sendAndWait(bob.client, direct.id, "wanted");
    for (const client of [ann.client, second]) await receiveText(client, direct.id, "wanted");
  });

  test("[I-4] declined, they wait no more, learn nothing, and may ask again", async () => {
    const carol = await registerPerson({ home: folder.at("carol"), server: server.url, username: "carol" });
    await carol.client.startConversation({ to: ["ann"] });
    const request = await asked(ann.client);
    await ann.client.declineRequest(request.id);
    expect((await ann.client.requests()).list).toEqual([]);
    await eventually(second, async () => ((await second.requests()).list.length === 0 ? true : undefined), "declined everywhere");
    await carol.client.startConversation({ to: ["ann"], name: "Please" });
    expect((await asked(ann.client)).person.username).toBe("carol");
    await carol[Symbol.asyncDispose]();
  });
});
