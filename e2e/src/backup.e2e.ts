import type { Client } from "@latchkey/client";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let clients: Client[];

beforeEach(async () => {
  folder = createFolder();
  clients = [];
  server = await startServerProcess({ data: folder.at("data"), args: ["--journal", folder.at("journal")] });
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function register(username: string): Promise<Client> {
  const { client } = await registerPerson({ home: folder.at(username), server: server.url, username });
  clients.push(client);
  await client.settle();
  return client;
}

/** A command of the command line, done. */
async function run(...args: string[]): Promise<void> {
  const { status, stderr } = await latchkey(args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

describe("the drill: backup while messages come, kill, restore, go on", () => {
  test("the data folder made again from the backup serves everybody: what was in it is there, what came after goes on with one call", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await sendAndWait(ada, id, "first");
    await receiveText(ben, id, "first");

    const passphraseFile = folder.at("passphrase");
    writeFileSync(passphraseFile, "three words and more\n", { mode: 0o600 });
    let isMade = false;
    const meanwhile: string[] = [];
    const writing = (async () => {
      while (!isMade) {
        const text = `meanwhile ${String(meanwhile.length)}`;
        await sendAndWait(ada, id, text);
        meanwhile.push(text);
      }
    })();
    await run("backup", folder.at("copies"), "--data", folder.at("data"), "--passphrase-file", passphraseFile);
    isMade = true;
    await writing;
    await sendAndWait(ada, id, "in no backup");
    await receiveText(ben, id, "in no backup");

    const { port } = server;
    await server.kill();
    const [from, to] = [folder.at("copies"), folder.at("restored")];
    await run("restore", from, "--data", to, "--without-journal", "--passphrase-file", passphraseFile);
    server = await startServerProcess({ data: to, port });
    for (const client of clients) client.wake();

    for (const client of [ada, ben]) {
      const stop = async (): Promise<string | undefined> => {
        const found = (await client.conversations()).find((conversation) => conversation.id === id);
        return found?.stop?.failure.code;
      };
      // Either of both is true, and each has the button: what the server says of itself, and that it has not the whole conversation.
      expect(["server_restored", "conversation_unavailable"]).toContain(
        await eventually(client, stop, "the conversation says why it stands"),
      );
    }
    const { conversation, unreachable } = await ada.continueConversation(id);
    expect(unreachable).toEqual([]);
    await sendAndWait(ada, conversation.id, "on the restored server");
    await receiveText(ben, conversation.id, "on the restored server");
    for (const client of [ada, ben]) {
      expect(await textsOf(client, conversation.id)).toEqual(["first", ...meanwhile, "in no backup", "on the restored server"]);
      expect(await client.alarms()).toEqual([]);
    }
    // The public record goes on from where it was: who is new finds everybody, and the names that were in the copy are taken.
    const cyd = await register("cyd");
    const met = await cyd.startConversation({ to: ["ben"] });
    await cyd.send(met.id, "I am new here");
    await expect(registerPerson({ home: folder.at("other"), server: server.url, username: "ada" })).rejects.toMatchObject({
      code: "username_taken",
    });
  });

  test("with the journal who registered after the backup goes on: the account works, its name is taken, and nobody alarms", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const passphraseFile = folder.at("passphrase");
    writeFileSync(passphraseFile, "three words and more\n", { mode: 0o600 });
    await run("backup", folder.at("copies"), "--data", folder.at("data"), "--passphrase-file", passphraseFile);
    const cyd = await register("cyd");
    const before = await cyd.startConversation({ to: ["ada"] });
    await sendAndWait(cyd, before.id, "after the backup");
    await receiveText(ada, before.id, "after the backup");

    const { port } = server;
    await server.kill();
    const [from, to, journal] = [folder.at("copies"), folder.at("restored"), folder.at("journal")];
    await run("restore", from, "--data", to, "--journal", journal, "--passphrase-file", passphraseFile);
    server = await startServerProcess({ data: to, port, args: ["--journal", journal] });
    for (const client of clients) client.wake();

    await expect(registerPerson({ home: folder.at("other"), server: server.url, username: "cyd" })).rejects.toMatchObject({
      code: "username_taken",
    });
    const dan = await register("dan");
    const met = await dan.startConversation({ to: ["cyd"] });
    await sendAndWait(dan, met.id, "I am new here");
    await receiveText(cyd, met.id, "I am new here");
    const again = await cyd.startConversation({ to: ["ben"] });
    await sendAndWait(cyd, again.id, "I am still here");
    await receiveText(ben, again.id, "I am still here");
    for (const client of [ada, ben, cyd, dan]) expect(await client.alarms()).toEqual([]);
  });

  test("an old copy of the data folder does not start beside its journal, and says what to do", async () => {
    await register("ada");
    const passphraseFile = folder.at("passphrase");
    writeFileSync(passphraseFile, "three words and more\n", { mode: 0o600 });
    await run("backup", folder.at("copies"), "--data", folder.at("data"), "--passphrase-file", passphraseFile);
    await register("ben");
    await server.kill();
    const [from, to, journal] = [folder.at("copies"), folder.at("restored"), folder.at("journal")];
    await run("restore", from, "--data", to, "--without-journal", "--passphrase-file", passphraseFile);
    await expect(
      startServerProcess({ data: to, args: ["--host", `localhost:${String(server.port)}`, "--journal", journal] }),
    ).rejects.toThrow(/latchkey restore/);
  });
});
