import type { Client, ContactRequest } from "@latchkey/client";
import { catchUp, isNamed, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatConversation, formatTime, printableLine } from "../output.ts";
import type { Command } from "./command.ts";

/** `latchkey requests [accept|decline|block NAME]`. */
export const requestsCommand: Command = {
  name: "requests",
  usage: "requests [accept NAME | decline NAME | block NAME]",
  summary: "people who are not accepted yet; nothing that they sent was opened",
  positionals: [0, 2],
  async run({ output, positionals, withClient }) {
    const [action, name = ""] = positionals;
    if (action === undefined) {
      await withClient(async (client) => {
        await catchUp(client);
        const { list, dropped } = await client.requests();
        for (const request of list) output.result(request, formatRequest(request));
        if (dropped > 0) output.result({ dropped }, `and ${dropped} more, dropped because there were too many at once`);
      });
      return;
    }
    if (!["accept", "decline", "block"].includes(action) || name === "") throw usageError(`latchkey ${requestsCommand.usage}`);
    await withClient(async (client) => {
      await catchUp(client);
      const { id, person } = await findRequest(client, name);
      if (action === "accept") {
        const joined = await client.acceptRequest(id);
        await client.settle({ timeoutMs: waitMs });
        if (joined !== undefined) output.result(joined, formatConversation(joined));
        else output.result({ accepted: person.address }, `accepted ${person.address}; the conversation follows`);
      } else if (action === "decline") {
        await client.declineRequest(id);
        output.result({ declined: person.address }, `declined ${person.address}`);
      } else {
        await client.block(id);
        output.result({ blocked: person.address }, `blocked ${person.address}`);
      }
      await client.settle({ timeoutMs: waitMs });
    });
  },
};

/** `latchkey block NAME`, and without NAME who is blocked. */
export const blockCommand: Command = {
  name: "block",
  usage: "block [NAME]",
  summary: "drop whatever NAME sends from now on, untold; without NAME, who is blocked",
  positionals: [0, 1],
  async run({ output, positionals: [name], withClient }) {
    await withClient(async (client) => {
      if (name === undefined) {
        for (const person of await client.blocked()) output.result(person, printableLine(person.address));
        return;
      }
      const person = await client.resolve(name);
      await client.block(person.accountId);
      await client.settle({ timeoutMs: waitMs });
      output.result({ blocked: person.address }, `blocked ${person.address}`);
    });
  },
};

/** `latchkey unblock NAME`. */
export const unblockCommand: Command = {
  name: "unblock",
  usage: "unblock NAME",
  summary: "let a blocked person in again",
  positionals: [1, 1],
  async run({ output, positionals: [name = ""], withClient }) {
    await withClient(async (client) => {
      const person = (await client.blocked()).find((blocked) => isNamed(blocked, name));
      if (person === undefined) throw new CommandError("not_blocked", `${printableLine(name)} is not blocked`);
      await client.unblock(person.accountId);
      await client.settle({ timeoutMs: waitMs });
      output.result({ unblocked: person.address }, `unblocked ${person.address}`);
    });
  },
};

async function findRequest(client: Client, name: string): Promise<ContactRequest> {
  const found = (await client.requests()).list.find(({ person }) => isNamed(person, name));
  if (found === undefined) throw new CommandError("unknown_request", `${printableLine(name)} is not waiting: see "latchkey requests"`);
  return found;
}

const states: Readonly<Record<ContactRequest["state"], string>> = {
  asks: "asks to write to you",
  joining: "accepted; tried again by itself",
  failed: "cannot be opened any more: ask them to write again",
};

function formatRequest({ person, receivedAtMs, state }: ContactRequest): string {
  return printableLine(`${person.address}  ${states[state]}  ${formatTime(receivedAtMs)}`);
}
