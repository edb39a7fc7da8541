import { receiptOf } from "@latchkey/client";
import type { Client, ClientEvent, Message } from "@latchkey/client";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { serverOfAllTests } from "./server.testing.ts";

/*
 * What docs/sdk.md promises of a client, with a real server.
 */

const server = serverOfAllTests();
const { folder, open } = server;

const texts = (messages: readonly Message[]): string[] => messages.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));

test("a message is new once, and a cursor gives each once across restarts", async () => {
  const [ann, ben] = [await open("ann"), await open("ben")];
  const told: [string, boolean][] = [];
  const note = (event: ClientEvent): void => {
    if (event.kind === "message" && event.message.body.kind === "text") told.push([event.message.body.text, event.isNew]);
  };
  ann.subscribe(note);
  ben.subscribe(note);
  const { id } = await ann.startConversation({ to: ["ben"] });
  await ann.send(id, "one");
  await ann.settle();
  await expect.poll(() => told.filter(([text, isNew]) => text === "one" && isNew).length, { timeout: 20_000 }).toBe(2);
  await ann.send(id, "two");
  await ann.settle();
  await ben.settle();
  // Each was told as new once by who wrote it and once by who got it, and as changed when the server had it.
  expect(told.filter(([text, isNew]) => text === "two" && isNew)).toHaveLength(2);
  expect(told.filter(([text, isNew]) => text === "two" && !isNew).length).toBeGreaterThan(0);

  const first = await ben.since(undefined, { limit: 1 });
  expect(first).toMatchObject({ messages: [expect.anything()], hasMore: true });
  const rest = await ben.since(first.cursor);
  expect(texts([...first.messages, ...rest.messages])).toEqual(["one", "two"]);
  expect(await ben.since(rest.cursor)).toEqual({ messages: [], cursor: rest.cursor, hasMore: false });
  await ben.close();
  await ann.send(id, "three");
  await ann.settle();
  const again = await open("ben");
  await again.settle();
  const since = await again.since(rest.cursor);
  expect(texts(since.messages)).toEqual(["three"]);
  expect(texts((await again.since()).messages)).toEqual(["one", "two", "three"]);
  expect(texts((await ann.since()).messages)).toEqual(["one", "two", "three"]);
  for (const cursor of ["", "0", (await ann.since()).cursor, `${since.cursor}0x`, `${since.cursor}.1`]) {
    await expect(again.since(cursor)).rejects.toMatchObject({ name: "ClientError", code: "invalid_cursor", canRetry: false });
  }
}, 120_000);

/** A program of docs/sdk.md as it stands there, but for the addresses; below the repository, so that it finds the packages. */
async function runExample(name: string, webhookUrl = ""): Promise<{ stop: () => Promise<void> }> {
  const page = readFileSync(new URL("../../../docs/sdk.md", import.meta.url), "utf8");
  const code = page
    .split("```")
    .find((block) => block.startsWith(`ts\n// ${name}:`))
    ?.slice(3);
  if (code === undefined) throw new Error(`docs/sdk.md has no ${name}`);
  const programs = fileURLToPath(new URL("../.tsbuild/examples/", import.meta.url));
  mkdirSync(programs, { recursive: true });
  const program = join(programs, `${String(process.pid)}-${name}`);
  writeFileSync(program, code.replaceAll("http://localhost:8080", server.url).replaceAll("http://localhost:9000/hook", webhookUrl));
  const child = spawn(process.execPath, [program], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(async () => {
    await stop();
    rmSync(program, { force: true });
  });
  return { stop };
}

/** Opens the conversation with a program once it has its account. */
async function conversationWith(client: Client, username: string): Promise<string> {
  await expect.poll(() => client.checkUsername(username), { timeout: 60_000, interval: 200 }).toBe("taken");
  const start = (): Promise<string> =>
    client.startConversation({ to: [username] }).then(
      ({ id }) => id,
      () => "",
    );
  let id = "";
  await expect.poll(async () => (id = await start()), { timeout: 60_000, interval: 500 }).not.toBe("");
  return id;
}

const shown = async (client: Client, id: string): Promise<string[]> => texts(await client.messages(id, { limit: 50 }));

test("[X-12] what somebody had read before they deleted their account stays read", async () => {
  const [uma, vic] = [await open("uma"), await open("vic")];
  const { id } = await uma.startConversation({ to: ["vic"] });
  const state = async (): Promise<unknown> => {
    const conversation = (await uma.conversations()).find((one) => one.id === id);
    const message = (await uma.messages(id, { limit: 20 })).find(({ body }) => body.kind === "text");
    if (conversation === undefined || message === undefined) throw new Error("a conversation");
    return [conversation.memberCount, receiptOf(message, conversation)];
  };
  await uma.send(id, "before");
  await uma.settle();
  await vic.settle();
  const [last] = (await vic.messages(id, { limit: 5 })).slice(-1);
  await vic.markRead(id, last?.order ?? 0);
  await expect.poll(state, { timeout: 20_000 }).toEqual([2, "read"]);
  await vic.deleteAccount();
  await expect.poll(state, { timeout: 20_000 }).toEqual([1, "read"]);
}, 60_000);

test("the echo bot of docs/sdk.md has ten lines and answers each of three people once", async () => {
  await runExample("echo-bot.ts");
  for (const name of ["carla", "dora", "emil"]) {
    const person = await open(name);
    const id = await conversationWith(person, "echo_bot");
    await person.send(id, `I am ${name}`);
    await expect.poll(() => shown(person, id), { timeout: 60_000 }).toEqual([`I am ${name}`, `You said: I am ${name}`]);
    await person.send(id, "And again");
    await expect.poll(() => shown(person, id), { timeout: 60_000 }).toHaveLength(4);
  }
}, 300_000);

test("the picture bot of docs/sdk.md reads a picture and answers it", async () => {
  await runExample("picture-bot.ts");
  const iris = await open("iris");
  const id = await conversationWith(iris, "picture_bot");
  const bytes = new Uint8Array(200_000);
  bytes.set([0x89, 0x50, 0x4e, 0x47]);
  const files = [
    { name: "cat.png", mediaType: "image/png", kind: "picture", sizeBytes: bytes.length, content: new Blob([bytes]) } as const,
  ];
  await iris.send(id, "", { files });
  await expect.poll(() => shown(iris, id), { timeout: 60_000 }).toEqual(["", "cat.png: PNG, 200000 bytes"]);
}, 300_000);

test("the webhook notifier of docs/sdk.md posts each message, those of while it was down too", async () => {
  const posted: Message[] = [];
  const webhook = createServer((request, response) => {
    void json(request).then((message) => {
      posted.push(message as Message);
      response.end();
    });
  });
  webhook.listen(0, "localhost");
  await once(webhook, "listening");
  onTestFinished(() => void webhook.close());
  const address = `http://localhost:${String((webhook.address() as AddressInfo).port)}/hook`;
  const frida = await open("frida");
  const first = await runExample("webhook-notifier.ts", address);
  const id = await conversationWith(frida, "notifier");
  await frida.send(id, "one");
  await expect.poll(() => [...new Set(texts(posted))], { timeout: 60_000 }).toEqual(["one"]);
  // Ended before it kept its cursor, it posts the same again: at least once is what is promised.
  await first.stop();
  await frida.send(id, "two");
  await frida.settle();
  await runExample("webhook-notifier.ts", address);
  // What failed once is tried again after a minute.
  await expect.poll(() => [...new Set(texts(posted))], { timeout: 130_000 }).toEqual(["one", "two"]);
  await frida.send(id, "three");
  await expect.poll(() => [...new Set(texts(posted))], { timeout: 60_000 }).toEqual(["one", "two", "three"]);
}, 300_000);

test("the moderation bot of docs/sdk.md deletes what is forbidden, also what was said while it was down, and removes who goes on", async () => {
  const [gina, hugo] = [await open("gina"), await open("hugo")];
  const first = await runExample("moderation-bot.ts");
  await conversationWith(gina, "steward");
  const group = await gina.startConversation({ to: ["hugo", "steward"], name: "Town" });
  await gina.settle();
  const steward = (await gina.details(group.id)).members.find(({ person }) => person.username === "steward");
  if (steward === undefined) throw new Error("the bot is a member");
  await gina.setRole(group.id, [steward.person.accountId], "administrator");
  await gina.settle();
  await expect.poll(async () => (await hugo.conversations()).some(({ id }) => id === group.id), { timeout: 60_000 }).toBe(true);
  await hugo.send(group.id, "Good morning");
  await hugo.send(group.id, "Come to my Casino");
  const readBy = async (client: Client): Promise<string[]> => await shown(client, group.id);
  await expect.poll(() => readBy(gina), { timeout: 60_000 }).toEqual(["Good morning", "hugo: no advertising here, please (1 of 3)"]);
  await first.stop();
  await hugo.send(group.id, "The casino is open");
  await hugo.settle();
  await expect.poll(() => readBy(gina), { timeout: 60_000 }).toContain("The casino is open");
  await runExample("moderation-bot.ts");
  await expect.poll(() => readBy(gina), { timeout: 60_000 }).not.toContain("The casino is open");
  await expect.poll(() => readBy(hugo), { timeout: 60_000 }).toContain("hugo: no advertising here, please (2 of 3)");
  await hugo.send(group.id, "Casino!");
  await expect.poll(async () => (await gina.details(group.id)).members.length, { timeout: 60_000 }).toBe(2);
  expect(await readBy(gina)).not.toContain("Casino!");
}, 300_000);
