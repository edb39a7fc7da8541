import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ClientError, createClient } from "@latchkey/client";
import type { AttachedFile, Client, ClientErrorCode, ClientFailure, LinkState, Message, Store } from "@latchkey/client";
import { nodeFiles, openNodeStore } from "@latchkey/client/node";
import { defaultLimits, startServer } from "@latchkey/server";
import type { RunningServer, ServerOptions } from "@latchkey/server";
import { createJumpingPlatform } from "./jumping-platform.ts";
import type { Random } from "./jumping-platform.ts";
import { Operator } from "./operator.ts";

/** The public name of every server here. */
export const host = "chat.example";

/** An honest client: the SDK with a profile of its own. */
export interface Person {
  /** In the operator's eyes. */
  readonly name: string;
  readonly client: Client;
  readonly accountId: string;
  /** Codes of the alarms that stand. */
  alarms(): Promise<readonly ClientErrorCode[]>;
  /** Texts that it has in a conversation, oldest first. */
  texts(conversationId: string): Promise<readonly string[]>;
  /** Puts its clock forward, once it has the answers to what it asked: what waits for one longer than a connection may is lost. */
  jump(durationMs: number): Promise<void>;
  /** What a jump set off is done: it is connected, and asks for nothing any more. */
  rest(): Promise<void>;
}

/** Everybody in a scene has one network address: what limits would keep from one stranger is not what attacks are about. */
const often = { burst: 20_000, perSecond: 200 };
const limits = {
  publicationIntervalMs: 0,
  headsIntervalMs: 100,
  targets: { ...defaultLimits.targets, strangerPost: often, strangerPostInAll: often, takeKeyPackage: often, takeKeyPackageInAll: often },
};

/** A malicious operator with a real server, and people who trust it. */
export class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly server: RunningServer;
  readonly operator: Operator;
  readonly #servers: RunningServer[];
  readonly #clients: Client[] = [];
  #holdsLong = false;

  private constructor(folder: string, server: RunningServer, operator: Operator) {
    this.folder = folder;
    this.server = server;
    this.operator = operator;
    this.#servers = [server];
  }

  /** @param bounds of the server, where a case needs smaller ones than everybody has; `pushServices` that it speaks to */
  static async open(bounds: ServerOptions["limits"] = {}, pushServices: readonly string[] = []): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
    const server = await startOn(join(folder, "server"), bounds, pushServices);
    const operator = new Operator(server.url);
    await operator.start();
    return new Scene(folder, server, operator);
  }

  /** From now on what programs do now and then they do by jumps of their clocks alone, however slow the machine is. */
  holdLongTimers(): void {
    this.#holdsLong = true;
  }

  /** Another real server of the same name, behind the operator: for accounts that only the operator knows of. */
  async backRoom(): Promise<RunningServer> {
    // It asks for no tokens: those of the server in front would not hold there, and the operator is not to be found out by that.
    const server = await startOn(join(this.folder, `back-room-${this.#servers.length}`), { tokensPerDay: 0 });
    this.#servers.push(server);
    return server;
  }

  /** Servers that `backRoom` started. */
  get backRooms(): readonly RunningServer[] {
    return this.#servers.slice(1);
  }

  /** Two servers go on from what the one has now: each with the same accounts, conversations and keys. */
  async split(): Promise<[RunningServer, RunningServer]> {
    await this.server.close();
    const copies = ["one", "two"].map((name) => join(this.folder, `server-${name}`));
    for (const copy of copies) cpSync(join(this.folder, "server"), copy, { recursive: true });
    const [one, two] = await Promise.all(copies.map((copy) => startOn(copy)));
    if (one === undefined || two === undefined) throw new Error("two were started");
    this.#servers.push(one, two);
    return [one, two];
  }

  /**
   * Registers somebody, who accepts whoever writes to them unless told otherwise. `username` when the operator calls them by another name;
   * `tamper`: what the program of somebody malicious takes for random.
   */
  async person(
    name: string,
    params: {
      username?: string;
      requests?: "ask" | "accept";
      tamper?: (random: Random) => Random;
      /** Says that messages came and were read, some seconds later: else what is counted as sent would be that now and then. */
      receipts?: boolean;
    } = {},
  ): Promise<Person> {
    const { client, jump } = await this.#profile(name, params);
    const { accountId } = await client.register({ username: params.username ?? name });
    if (params.receipts !== true) await client.changePrivacySettings({ receipts: false });
    return personOf({ name, client, accountId, jump, operator: this.operator });
  }

  /** Links another device to somebody's account, as its owner would. */
  async device(owner: Person, name: string): Promise<Person> {
    const { client, jump } = await this.#profile(name);
    const both = [owner.client, client];
    const waits = Promise.withResolvers<void>();
    const stop = this.operator.override({
      reply(line, body) {
        if (line.person === name && body.kind === "opened") waits.resolve();
        return body;
      },
    });
    const offer = await client.offerLink({ deviceName: name });
    await waits.promise;
    stop();
    const compared = Promise.all(both.map((side) => linkState(side, "compare")));
    const done = Promise.all(both.map((side) => linkState(side, "done")));
    done.catch(() => undefined);
    await Promise.all([owner.client.acceptLink(offer.code), compared]);
    await Promise.all(both.map((side) => side.confirmLink(true)));
    await done;
    return personOf({ name, client, accountId: owner.accountId, jump, operator: this.operator });
  }

  /** Opens somebody's profile once more, which was closed, or one that is a copy of it. */
  async reopen(name: string, params: { profile?: string; store?: Store; tamper?: (random: Random) => Random } = {}): Promise<Client> {
    const { client } = await this.#profile(name, params);
    return client;
  }

  /** Where somebody's profile lies. */
  profileOf(name: string): string {
    return join(this.folder, "people", name);
  }

  async #profile(
    name: string,
    params: {
      requests?: "ask" | "accept";
      profile?: string;
      store?: Store;
      tamper?: (random: Random) => Random;
    } = {},
  ): Promise<{ client: Client; jump: (durationMs: number) => void }> {
    const { requests = "accept", profile = name, tamper } = params;
    const { platform: jumping, jump } = createJumpingPlatform(tamper, this.#holdsLong);
    const platform = { ...jumping, files: nodeFiles(this.profileOf(profile)) };
    const store = params.store ?? (await openNodeStore(this.profileOf(profile)));
    const client = await createClient({ store, platform, serverUrl: this.operator.url(name), requests });
    this.#clients.push(client);
    return { client, jump };
  }

  /** How many requests came so far: for `sent`. */
  get mark(): number {
    return this.operator.seen.length;
  }

  /** Requests with ciphertext that came from somebody since the mark, once there was time for it. */
  async sent(person: Person, since: number): Promise<number> {
    await delay(300);
    return this.operator.ciphertexts(person.name, since);
  }

  /** As `sent`, without what goes into inboxes: after a fork that is the notice to the other members. */
  async written(person: Person, since: number): Promise<number> {
    await delay(300);
    return this.operator.ciphertexts(person.name, since) - this.operator.posts(person.name, since);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.operator.close();
    for (const server of this.#servers) await server.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    if (this.operator.faults.length > 0) throw new AggregateError(this.operator.faults, "an override failed");
  }
}

/** So long answers are waited for that an operator may have held back. */
const patienceMs = 4000;

/** Waits until `isBusy` was false in several looks, one after the other: what is on its way from one socket to the next is seen by none. */
async function quiet(isBusy: () => boolean | Promise<boolean>, everyMs: number): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  for (let looks = 0; looks < 4 && Date.now() < untilMs; looks = (await isBusy()) ? 0 : looks + 1) await delay(everyMs);
}

function personOf({
  name,
  client,
  accountId,
  jump,
  operator,
}: Pick<Person, "name" | "client" | "accountId"> & { jump: (durationMs: number) => void; operator: Operator }): Person {
  return {
    name,
    client,
    accountId,
    alarms: async () => (await client.alarms()).map(({ failure }) => failure.code),
    texts: async (id) => (await client.messages(id, { limit: 1000 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : [])),
    async jump(durationMs) {
      await quiet(() => operator.isAsked(name), 5);
      jump(durationMs);
      await delay(50);
    },
    async rest() {
      await quiet(async () => operator.isAsked(name) || (await client.connection()).kind !== "online", 50);
    },
  };
}

/** Resolves when a linking is so far. */
function linkState(client: Client, kind: LinkState["kind"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = client.subscribe((event) => {
      if (event.kind !== "link" || (event.state.kind !== kind && event.state.kind !== "failed")) return;
      stop();
      if (event.state.kind === "failed") reject(new Error(event.state.failure.message));
      else resolve();
    });
  });
}

function startOn(
  dataDirectory: string,
  bounds: ServerOptions["limits"] = {},
  pushServices: readonly string[] = [],
): Promise<RunningServer> {
  return startServer({ host, port: 0, dataDirectory, logLevel: "silent", limits: { ...limits, ...bounds }, pushServices });
}

/** The failure that an honest client shows for something that it was asked to do. @throws Error when it did it */
export async function refusal(work: Promise<unknown>): Promise<ClientFailure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ClientError) return { code: error.code, message: error.message, canRetry: error.canRetry };
    throw error;
  }
  throw new Error("it was not refused");
}

/** Everybody has sent and read everything, twice: what one sends while it settles is read by the others. */
export async function settle(...people: readonly Person[]): Promise<void> {
  for (let round = 0; round < 2; round++) for (const { client } of people) await client.settle({ timeoutMs: 20_000 });
}

/** The first result of `look` that is neither `undefined` nor `false`. @throws Error after forty seconds */
export async function eventually<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (let attempt = 0; attempt < 800; attempt++) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(50);
  }
  throw new Error(`did not happen: ${what}`);
}

/** What comes of work while somebody's clock runs ahead: what they wait for between two tries is over at once. */
export async function hurried<T>(person: Person, work: Promise<T>): Promise<T> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => undefined);
  while (!isOver) await person.jump(1000);
  return await ended;
}

/** Sends a text and waits until the server has it. */
export async function say(person: Person, conversationId: string, text: string): Promise<void> {
  const { id } = await person.client.send(conversationId, text);
  await eventually(async () => (await messageOf(person, conversationId, id))?.delivery?.kind === "accepted", "the message is accepted");
}

/** Waits until somebody has read a text. */
export async function hear(person: Person, conversationId: string, text: string): Promise<void> {
  await eventually(async () => {
    const isIn = (await person.client.conversations()).some(({ id }) => id === conversationId);
    return isIn && (await person.texts(conversationId)).includes(text);
  }, "the message arrives");
}

/** A message by its id. */
export async function messageOf(person: Person, conversationId: string, messageId: string): Promise<Message | undefined> {
  return (await person.client.messages(conversationId, { limit: 100 })).find(({ id }) => id === messageId);
}

/** Waits for an alarm with this code, and gives its words. */
export async function alarmOf(person: Person, code: ClientErrorCode): Promise<ClientFailure> {
  return await eventually(
    async () => (await person.client.alarms()).find(({ failure }) => failure.code === code)?.failure,
    `${person.name} is shown an alarm ${code}`,
  );
}

/** A conversation that the first of these people began with the others, a group where it has a name; all have read what was said first. */
export async function begun(people: readonly Person[], name?: string): Promise<string> {
  const [first, ...others] = people;
  if (first === undefined) throw new Error("somebody");
  const to = others.map((person) => person.name);
  const { id } = await first.client.startConversation(name === undefined ? { to } : { to, name });
  await say(first, id, "hello");
  for (const person of others) await hear(person, id, "hello");
  await settle(...people);
  return id;
}

/** A direct conversation that Ada began, and in which Ben read what she said first. */
export async function foundPair(scene: Scene): Promise<{ ada: Person; ben: Person; id: string }> {
  const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
  return { ada, ben, id: await begun([ada, ben]) };
}

/** A group that Ada founded, and in which Ben and Mal read what she said first. */
export async function foundTrio(scene: Scene): Promise<{ ada: Person; ben: Person; mal: Person; id: string }> {
  const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
  return { ada, ben, mal, id: await begun([ada, ben, mal], "Allotment") };
}

/** The message with this text and a file, once it arrives. */
export async function withFile(person: Person, id: string, text: string): Promise<{ message: Message; file: AttachedFile }> {
  const find = async (): Promise<Message | undefined> =>
    (await person.client.messages(id, { limit: 50 })).find(({ body }) => body.kind === "text" && body.text === text);
  const message = await eventually(find, `"${text}" arrives`);
  const [file] = message.files ?? [];
  if (file === undefined) throw new Error("it came with a file");
  return { message, file };
}
