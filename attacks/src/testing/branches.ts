import type { ClientFailure } from "@latchkey/client";
import { eventually, hear, say, settle } from "./scene.ts";
import type { Reply } from "./operator.ts";
import type { Person, Scene } from "./scene.ts";

/** A group of three in which everybody may add and remove: its founder made them its owners, and left. */
export interface Group {
  readonly ada: Person;
  readonly ben: Person;
  readonly cyd: Person;
  readonly id: string;
}

/** Founds it. */
export async function foundGroup(scene: Scene): Promise<Group> {
  const [zoe, ada, ben, cyd] = [await scene.person("zoe"), await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
  const { id } = await zoe.client.startConversation({ to: ["ada", "ben", "cyd"], name: "Allotment" });
  await say(zoe, id, "hello");
  for (const person of [ada, ben, cyd]) await hear(person, id, "hello");
  await zoe.client.setRole(
    id,
    [ada, ben, cyd].map(({ accountId }) => accountId),
    "owner",
  );
  await zoe.client.leave(id);
  for (const person of [ada, ben, cyd]) {
    await eventually(async () => (await person.client.details(id)).members.length === 3, "the founder is out");
  }
  await settle(ada, ben, cyd);
  return { ada, ben, cyd, id };
}

/**
 * Splits the conversations: `apart` read and write them on a copy of the server from now on, and everything else, the public record
 * included, is the same for all. What the record says of a log is what stands on the branch of those who are not apart.
 */
export async function branch(scene: Scene, params: { people: readonly Person[]; apart: readonly Person[] }): Promise<void> {
  const { operator } = scene;
  const apart = params.apart.map(({ name }) => name);
  const [witness] = params.people.filter(({ name }) => !apart.includes(name));
  if (witness === undefined) throw new Error("somebody stays on the first branch");
  const [first, second] = await scene.split();
  operator.routeAll(first.url);
  operator.route({ people: apart, roles: ["log"], url: second.url });
  operator.override({
    // The heads of logs are in the one public record: its server is asked, over a connection that has the log open.
    request: async (line, body) =>
      apart.includes(line.person) && line.role === "log" && body.kind === "head_proof"
        ? {
            // While that person's connection is made anew there is none to ask over: it is asked again.
            answer: await operator
              .ask({ person: witness.name, role: "log" }, body)
              .catch((): Reply => ({ kind: "error", code: "internal", retryAfterMs: 500 })),
          }
        : "pass",
  });
  for (const { client } of params.people) client.wake();
  for (const { client } of params.people) {
    await eventually(async () => (await client.connection()).kind === "online", "the connection is back");
  }
  await settle(...params.people);
}

/** Lets the record have the newest heads, by a publication that anybody causes, and a day pass for those who look at them. */
export async function publishHeads(scene: Scene, people: readonly Person[]): Promise<void> {
  await scene.person(`new${scene.mark}`);
  for (const person of people) await person.jump(25 * 3_600_000);
}

/** Whether somebody has a person in their list of a group's members. */
export async function hasMember(person: Person, conversationId: string, member: Person): Promise<boolean> {
  const { members } = await person.client.details(conversationId);
  return members.some((entry) => entry.person.accountId === member.accountId);
}

/** Waits for the alarm that the public record has another log than the one which somebody is shown, and gives its words. */
export async function forkAlarm(person: Person): Promise<ClientFailure> {
  return await eventually(async () => {
    // Of a branch that is behind the record it takes an hour in which nothing more came.
    await person.jump(2 * 3_600_000);
    await person.rest();
    return (await person.client.alarms()).find(({ failure }) => failure.code === "log_fork")?.failure;
  }, `${person.name} is shown a fork`);
}

/** Waits until somebody is shown that a member's device spoke of another log than the one in the public record. */
export async function otherView(person: Person, conversationId: string, speaker: Person): Promise<void> {
  await eventually(async () => {
    // What somebody's word causes is done no more than once a minute, and what is open is looked at every hour.
    await person.jump(3_600_000);
    await person.rest();
    const lines = await person.client.messages(conversationId, { limit: 100 });
    return lines.some(({ body, author }) => body.kind === "other_view" && author?.accountId === speaker.accountId);
  }, `${person.name} is shown that ${speaker.name} speaks of another log`);
}
