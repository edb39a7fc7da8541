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
  const register = (username: string, displayName?: string): Promise<TestPerson> =>
    registerPerson({ home: folder.at(username), server: server.url, username, ...(displayName === undefined ? {} : { displayName }) });
  ann = await register("ann");
  dave = await register("dave");
  carol = await register("carol", "Carol C.");
  ({ id: groupId } = await ann.client.startConversation({ to: ["carol", "dave"], name: "Choir" }));
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
    expect(await ann.client.verification(groupId)).toMatchObject({ mayLetBack: true, away: [{ displayName: "Carol C." }] });
    expect(await dave.client.verification(groupId)).toMatchObject({ mayLetBack: false });
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

async function waitingId(client: Client): Promise<string | undefined> {
  return (await client.verification(groupId)).away[0]?.accountId;
}
