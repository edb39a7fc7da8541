import type { Move } from "./script.ts";
import { ask, conversationOf, somebody } from "./script.ts";

/** What happens in groups that give who joins what was said before (spec R-5): they are told to, they change their mind, people come and come back. */
export const joining: readonly Move[] = [
  {
    name: "found for joiners",
    weight: 8,
    async run(world) {
      const person = somebody(world);
      if (person === undefined) return;
      const to = [...world.people.keys()].filter((name) => name !== person.name && world.chance.happens(0.4));
      if (to.length === 0) return;
      const rights = {
        history: world.chance.pick(["30_days", "100_messages"] as const),
        shareHistory: "everyone",
        add: "everyone",
      } as const;
      ask(person, "found", async (client) => {
        const group = await client.startConversation({ to, name: `group ${String(world.number())}` });
        await client.changeSettings(group.id, { rights });
      });
    },
  },
  {
    name: "say to a group",
    weight: 40,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person !== undefined && group !== undefined) void person.say(group.id, `${person.name} ${String(world.number())}`);
    },
  },
  {
    name: "give history",
    weight: 4,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person === undefined || group === undefined) return;
      const history = world.chance.pick(["30_days", "7_days", "100_messages", "100_messages", "off"] as const);
      ask(person, "give history", (client) =>
        client.changeSettings(group.id, { rights: { history, shareHistory: "everyone", add: "everyone" } }),
      );
    },
  },
  {
    name: "let somebody in",
    weight: 14,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person === undefined || group === undefined) return;
      const details = await person.act("details", (client) => client.details(group.id));
      const isIn = (name: string): boolean => details?.members.some((member) => member.person.username === name) !== false;
      const outside = [...world.people.keys()].filter((name) => !isIn(name));
      if (outside.length > 0) ask(person, "add", (client) => client.addMembers(group.id, [world.chance.pick(outside)]));
    },
  },
  {
    name: "come back",
    weight: 6,
    async run(world) {
      const person = somebody(world);
      const group = person === undefined ? undefined : await conversationOf(world, person, "group");
      if (person === undefined || group === undefined) return;
      const details = await person.act("details", (client) => client.details(group.id));
      const others = (details?.members ?? []).filter((member) => !member.person.isSelf);
      if (others.length === 0 || details?.may.remove !== true) return;
      const { accountId, username } = world.chance.pick(others).person;
      ask(person, "remove", (client) => client.removeMembers(group.id, [accountId]));
      await world.timeline.run(world.chance.between(500, 20_000));
      ask(person, "add", (client) => client.addMembers(group.id, [username]));
    },
  },
];
