import type { Client, Conversation, Message } from "@latchkey/client";
import type { Person } from "./person.ts";
import type { World } from "./world.ts";

/** One thing that happens in a simulated life. Does not wait for what it sets off. */
export interface Move {
  readonly name: string;
  /** How often it happens beside the others. */
  readonly weight: number;
  run(world: World): Promise<void> | void;
}

const minuteMs = 60_000;

/** Somebody whose device is on. */
export function somebody(world: World): Person | undefined {
  const open = [...world.people.values()].filter((person) => person.isOpen);
  return open.length === 0 ? undefined : world.chance.pick(open);
}

/** Asks somebody's client for something, without waiting. */
export function ask(person: Person, what: string, run: (client: Client) => Promise<unknown>): void {
  void person.act(what, run);
}

/** One of somebody’s conversations, of this kind. */
export async function conversationOf(world: World, person: Person, kind?: Conversation["kind"]): Promise<Conversation | undefined> {
  const all = (await person.act("conversations", (client) => client.conversations())) ?? [];
  const fitting = all.filter((each) => each.status !== "removed" && (kind === undefined || each.kind === kind));
  return fitting.length === 0 ? undefined : world.chance.pick(fitting);
}

/** Somebody, and one of the latest texts that they have. */
async function someMessage(
  world: World,
  isMeant: (message: Message) => boolean,
): Promise<{ readonly person: Person; readonly message: Message } | undefined> {
  const person = somebody(world);
  const conversation = person === undefined ? undefined : await conversationOf(world, person);
  if (person === undefined || conversation === undefined) return undefined;
  const latest = (await person.act("messages", (client) => client.messages(conversation.id, { limit: 30 }))) ?? [];
  const meant = latest.filter((message) => message.body.kind === "text" && message.conversationId === conversation.id && isMeant(message));
  return meant.length === 0 ? undefined : { person, message: world.chance.pick(meant) };
}

function others(world: World, person: Person): string[] {
  return [...world.people.keys()].filter((name) => name !== person.name);
}

/** Strangers who ask are let in, mostly. */
async function answerRequests(world: World, person: Person, isFriendly: boolean = world.chance.happens(0.9)): Promise<void> {
  const requests = await person.act("requests", (client) => client.requests());
  for (const { id } of requests?.list ?? []) {
    if (isFriendly) ask(person, "accept", (client) => client.acceptRequest(id));
    else ask(person, "decline", (client) => client.declineRequest(id));
  }
}

/** What people do all day. */
export const dailyLife: readonly Move[] = [
  {
    name: "say",
    weight: 40,
    async run(world) {
      const person = somebody(world);
      const conversation = person === undefined ? undefined : await conversationOf(world, person);
      if (person !== undefined && conversation !== undefined) void person.say(conversation.id, `${person.name} ${world.number()}`);
    },
  },
  {
    name: "long",
    weight: 2,
    async run(world) {
      const person = somebody(world);
      const conversation = person === undefined ? undefined : await conversationOf(world, person);
      if (person !== undefined && conversation !== undefined)
        void person.say(conversation.id, `${person.name} ${world.number()} ${"x".repeat(65_000)}`);
    },
  },
  {
    name: "send a file",
    weight: 4,
    async run(world) {
      const person = somebody(world);
      const conversation = person === undefined ? undefined : await conversationOf(world, person);
      if (person === undefined || conversation === undefined) return;
      // Small ones go in one request, those above a MiB in parts.
      const bytes = world.chance.bytes(world.chance.happens(0.3) ? 1_100_000 : world.chance.between(0, 3000));
      void person.sendFile(conversation.id, `${person.name} ${world.number()}`, bytes);
    },
  },
  {
    name: "react",
    weight: 6,
    async run(world) {
      const chosen = await someMessage(world, () => true);
      if (chosen === undefined) return;
      const { person, message } = chosen;
      const isGiven = world.chance.happens(0.8);
      ask(person, "react", (client) => client.react(message.conversationId, message.id, world.chance.pick(["👍", "❤️", "🎉"]), isGiven));
    },
  },
  {
    name: "edit",
    weight: 4,
    async run(world) {
      const chosen = await someMessage(world, ({ author }) => author?.isSelf === true);
      if (chosen === undefined) return;
      const { person, message } = chosen;
      ask(person, "edit", (client) => client.edit(message.conversationId, message.id, `${person.name} ${world.number()} edited`));
    },
  },
  {
    name: "delete",
    weight: 2,
    async run(world) {
      const chosen = await someMessage(world, ({ author }) => author?.isSelf === true);
      if (chosen === undefined) return;
      const { person, message } = chosen;
      ask(person, "delete", (client) => client.deleteMessages(message.conversationId, [message.id], { forEveryone: true }));
    },
  },
  {
    name: "reply",
    weight: 4,
    async run(world) {
      const chosen = await someMessage(world, () => true);
      if (chosen !== undefined)
        void chosen.person.say(chosen.message.conversationId, `${chosen.person.name} ${world.number()}`, chosen.message.id);
    },
  },
  {
    name: "write to somebody",
    weight: 4,
    run(world) {
      const person = somebody(world);
      if (person !== undefined)
        ask(person, "start", (client) => client.startConversation({ to: [world.chance.pick(others(world, person))] }));
    },
  },
  {
    name: "found a group",
    weight: 3,
    run(world) {
      const person = somebody(world);
      if (person === undefined) return;
      const to = others(world, person).filter(() => world.chance.happens(0.7));
      if (to.length > 0) ask(person, "found", (client) => client.startConversation({ to, name: `group ${world.number()}` }));
    },
  },
  {
    name: "add",
    weight: 4,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person !== undefined && group !== undefined)
        ask(person, "add", (client) => client.addMembers(group.id, [world.chance.pick(others(world, person))]));
    },
  },
  {
    name: "remove",
    weight: 4,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person === undefined || group === undefined) return;
      const details = await person.act("details", (client) => client.details(group.id));
      const members = (details?.members ?? []).filter((member) => !member.person.isSelf);
      if (members.length > 0)
        ask(person, "remove", (client) => client.removeMembers(group.id, [world.chance.pick(members).person.accountId]));
    },
  },
  {
    name: "look at requests",
    weight: 10,
    async run(world) {
      const person = somebody(world);
      if (person !== undefined) await answerRequests(world, person);
    },
  },
  {
    name: "leave",
    weight: 1,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person !== undefined && group !== undefined) ask(person, "leave", (client) => client.leave(group.id));
    },
  },
];

/** What goes wrong in every network and on every machine. */
export const faults: readonly Move[] = [
  {
    name: "no network",
    weight: 4,
    run: (world) => world.network.cut(world.chance.pick([...world.people.keys()]), world.chance.between(1000, 10 * minuteMs)),
  },
  { name: "connections lost", weight: 3, run: (world) => world.network.drop(() => world.chance.happens(0.5)) },
  {
    name: "power fails",
    weight: 5,
    run: (world) => somebody(world)?.crash({ afterWrites: world.chance.between(0, 4), isKept: world.chance.happens(0.5) }),
  },
  {
    name: "device on",
    weight: 8,
    async run(world) {
      const off = [...world.people.values()].filter((person) => !person.isOpen);
      if (off.length > 0) await world.chance.pick(off).open();
    },
  },
  {
    name: "server restarts",
    weight: 1,
    async run(world) {
      await world.stopServer();
      await world.timeline.run(world.chance.between(100, 30_000));
      await world.startServer();
    },
  },
];

/** How long until the next thing happens: mostly at once, sometimes much later. */
export function pause(world: World): number {
  return world.chance.weighted([
    [6, () => world.chance.between(0, 50)],
    [3, () => world.chance.between(50, 2000)],
    [2, () => world.chance.between(2000, minuteMs)],
    [0.3, () => world.chance.between(minuteMs, 60 * minuteMs)],
  ])();
}

/** Plays moves drawn by chance. Answers what was played, for whoever looks for the reason of a failure. */
export async function play(world: World, moves: readonly Move[], count: number): Promise<string[]> {
  const played: string[] = [];
  for (let at = 0; at < count; at++) {
    const move = world.chance.weighted(moves.map((each) => [each.weight, each] as const));
    played.push(move.name);
    await move.run(world);
    await world.timeline.run(pause(world));
  }
  return played;
}

/** The faults end, everybody is on, and time passes until nothing is left to do. */
export async function calm(world: World): Promise<void> {
  world.network.heal();
  await world.startServer();
  for (const person of world.people.values()) {
    // A fuse that did not burn down yet would end this life later.
    person.crash();
    await world.timeline.run(100);
    await person.open();
  }
  await world.timeline.run(5 * minuteMs);
  for (const person of world.people.values()) await answerRequests(world, person, true);
  await world.timeline.run(60 * minuteMs);
  // What never began, because the server lost its first change, has a button.
  for (const person of world.people.values()) {
    for (const { id, status, stop } of await person.client.conversations()) {
      if (status === "pending" && stop !== undefined) ask(person, "go on", (client) => client.continueConversation(id));
    }
  }
  await world.timeline.run(60 * minuteMs);
  for (const person of world.people.values()) await answerRequests(world, person, true);
  await world.timeline.run(5 * minuteMs);
}
