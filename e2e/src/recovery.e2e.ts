import type { Client, Message } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ann: TestPerson;
let dave: TestPerson;
let carol: TestPerson;
/** Carol's new device. */
let fresh: Client;
let groupId: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ann = await register("ann");
  dave = await register("dave");
  carol = await register("carol", "Carol C.");
  ({ id: groupId } = await ann.client.startConversation({ to: ["carol", "dave"], name: "Choir" }));
  await ann.client.changeSettings(groupId, { rights: { add: "administrators" } });
  await joinedConversation(carol.client, "Choir");
  await joinedConversation(dave.client, "Choir");
  await sendAndWait(carol.client, groupId, "hello from Carol");
  await receiveText(ann.client, groupId, "hello from Carol");
  const phrase = ((await carol.client.recoveryPhrase()) ?? []).join(" ");
  fresh = await openNodeClient({ home: folder.at("carol-2"), serverUrl: server.url, requests: "accept" });
  await fresh.recover({ username: "carol", phrase, deviceName: "New phone" });
});

afterAll(async () => {
  await fresh.close();
  for (const person of [ann, dave, carol]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function register(username: string, displayName?: string): Promise<TestPerson> {
  return registerPerson({ home: folder.at(username), server: server.url, username, ...(displayName === undefined ? {} : { displayName }) });
}

const lines = async (client: Client): Promise<readonly Message[]> => client.messages(groupId, { limit: 50 });
const kinds = async (client: Client): Promise<readonly string[]> => (await lines(client)).map(({ body }) => body.kind);
const readAll = async (client: Client): Promise<void> => {
  const last = (await lines(client)).at(-1);
  await client.markRead(groupId, last?.order ?? 0);
};
const waiting = (client: Client): Promise<readonly string[]> =>
  client.verification(groupId).then(({ away }) => away.map(({ username }) => username));

describe("[E-64] somebody who recovered their account", () => {
  test("knows that this device began anew", async () => {
    expect(await fresh.account()).toMatchObject({ isRecovered: true, displayName: "carol" });
    expect(await ann.client.account()).toMatchObject({ isRecovered: false });
  });

  test("is told as being on a new device, not as thrown out, and whoever may is offered to let them back", async () => {
    const direct = await fresh.startConversation({ to: ["ann"] });
    await sendAndWait(fresh, direct.id, "I have a new phone");
    await receiveText(ann.client, direct.id, "I have a new phone");
    await eventually(ann.client, async () => ((await waiting(ann.client)).length > 0 ? true : undefined), "the offer");
    await eventually(dave.client, async () => ((await waiting(dave.client)).length > 0 ? true : undefined), "Dave hears of it");
    for (const { client } of [ann, dave]) {
      await eventually(client, async () => ((await kinds(client)).includes("recovered") ? true : undefined), "the recovery is told");
      expect(await waiting(client)).toEqual(["carol"]);
      expect(await kinds(client)).toEqual(expect.arrayContaining(["recovered", "away"]));
      expect(await kinds(client)).not.toContain("removed");
    }
    expect(await ann.client.verification(groupId)).toMatchObject({
      mayLetBack: true,
      mayRemove: true,
      away: [{ displayName: "Carol C." }],
    });
    expect(await dave.client.verification(groupId)).toMatchObject({ mayLetBack: false, mayRemove: false });
    await expect(dave.client.letBack(groupId, (await waitingId(dave.client)) ?? "")).rejects.toMatchObject({ code: "not_permitted" });
  });

  test("is reached by nothing that is written meanwhile, and no tick says otherwise", async () => {
    await readAll(ann.client);
    const sent = await sendAndWait(ann.client, groupId, "who knows where Carol is?");
    const shown = (await lines(ann.client)).find(({ id }) => id === sent.id);
    expect(shown?.delivery).toMatchObject({ kind: "accepted", withoutReader: [{ username: "carol" }] });
    const before = (await lines(ann.client)).find(({ body }) => body.kind === "text" && body.text === "hello from Carol");
    expect(before?.delivery).toBeUndefined();
  });

  test("comes back as the same person, by one click, and reads on", async () => {
    const accountId = (await waitingId(ann.client)) ?? "";
    await ann.client.letBack(groupId, accountId);
    await joinedConversation(fresh, "Choir");
    expect(await waiting(ann.client)).toEqual([]);
    expect((await kinds(ann.client)).at(-1)).toBe("let_back");
    await expect(ann.client.letBack(groupId, accountId)).rejects.toMatchObject({ code: "unknown_user" });
    const { members } = await ann.client.details(groupId);
    expect(members.find(({ person }) => person.username === "carol")).toMatchObject({ person: { accountId, displayName: "Carol C." } });
    const sent = await sendAndWait(ann.client, groupId, "good to have you");
    await receiveText(fresh, groupId, "good to have you");
    expect((await lines(ann.client)).find(({ id }) => id === sent.id)?.delivery).not.toHaveProperty("withoutReader");
    // What was written in between stays unread by her, and goes on to say so.
    const between = (await lines(ann.client)).find(({ body }) => body.kind === "text" && body.text.startsWith("who knows"));
    expect(between?.delivery).toMatchObject({ withoutReader: [{ username: "carol" }] });
    await sendAndWait(fresh, groupId, "and to be back");
    await receiveText(ann.client, groupId, "and to be back");
    expect((await lines(ann.client)).at(-1)?.author).toMatchObject({ accountId, displayName: "Carol C." });
  });
});

describe("[E-64] [M-2] an owner who recovered their account", () => {
  test("is let back by a plain member, who proves that the new device is the owner's, and is the owner again", async () => {
    const [erin, frank, gus] = [await register("erin"), await register("frank"), await register("gus")];
    const { id } = await erin.client.startConversation({ to: ["frank", "gus"], name: "Allotment" });
    for (const { client } of [frank, gus]) await joinedConversation(client, "Allotment");
    const phrase = ((await erin.client.recoveryPhrase()) ?? []).join(" ");
    await erin[Symbol.asyncDispose]();
    const again = await openNodeClient({ home: folder.at("erin-2"), serverUrl: server.url, requests: "accept" });
    try {
      await again.recover({ username: "erin", phrase, deviceName: "New phone" });
      const direct = await again.startConversation({ to: ["frank"] });
      await sendAndWait(again, direct.id, "I have a new phone");
      await receiveText(frank.client, direct.id, "I have a new phone");
      const away = await eventually(frank.client, async () => (await frank.client.verification(id)).away[0], "she waits to be let back");
      await frank.client.letBack(id, away.accountId);
      await joinedConversation(again, "Allotment");
      const roles = async (client: Client): Promise<readonly string[]> =>
        (await client.details(id)).members.map(({ person, role }) => `${person.username} ${role}`).toSorted();
      for (const client of [again, frank.client, gus.client]) {
        await eventually(client, async () => ((await roles(client)).length === 3 ? true : undefined), "all three are in");
        expect(await roles(client)).toEqual(["erin owner", "frank member", "gus member"]);
      }
    } finally {
      await again.close();
      for (const person of [frank, gus]) await person[Symbol.asyncDispose]();
    }
  });
});

async function waitingId(client: Client): Promise<string | undefined> {
  return (await client.verification(groupId)).away[0]?.accountId;
}
