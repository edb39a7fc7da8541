import type { Client, JoinLink, OwnKnock, WaitingPerson } from "@latchkey/client";
import { catchUp, findConversation, isNamed, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatPerson, formatTime, printableLine } from "../output.ts";
import type { Command, CommandContext, OptionValues } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey invite create|list|revoke GROUP`. */
export const inviteCommand: Command = {
  name: "invite",
  usage: "invite create GROUP [--days N] [--uses N] [--unnamed] | invite list GROUP | invite revoke GROUP LINK",
  summary: "links by which people ask to be let into a group",
  help: `GROUP is the id of a conversation; LINK the id of a link, as "list" shows it.
Whoever has a link may ask; who leads the group lets them in: "latchkey knocks list GROUP".

  --days N    how long it lasts, 1 to 30; 7 unless said otherwise
  --uses N    how many may come in by it, 1 to 1,000; 50 unless said otherwise
  --unnamed   the link does not say what the group is called`,
  options: { days: { type: "string" }, uses: { type: "string" }, unnamed: { type: "boolean" } },
  positionals: [2, 3],
  run: invite,
};

async function invite({ output, positionals, values, withClient }: CommandContext): Promise<void> {
  const [action = "", group = "", linkId] = positionals;
  const isRevoke = action === "revoke";
  if (!["create", "list", "revoke"].includes(action) || isRevoke !== (linkId !== undefined))
    throw usageError(`latchkey ${inviteCommand.usage}`);
  const options = { days: countOption(values, "days"), uses: countOption(values, "uses"), isNamed: values["unnamed"] !== true };
  await withClient(async (client) => {
    await catchUp(client);
    await findConversation(client, group);
    if (action === "create") {
      const link = await client.createJoinLink(group, options);
      // Who else leads the group gets it before the profile is closed.
      await client.settle({ timeoutMs: waitMs });
      output.result(link, link.url ?? formatLink(link));
    } else if (linkId !== undefined) {
      await client.revokeJoinLink(group, linkId);
      output.result({ revoked: linkId }, `revoked ${printableLine(linkId)}: nobody comes in by it any more`);
    } else for (const link of await client.joinLinks(group)) output.result(link, formatLink(link));
  });
}

/** @throws CommandError for what is no number */
function countOption(values: OptionValues, name: string): number | undefined {
  const text = stringOption(values, name);
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,5}$/u.test(text)) throw usageError(`--${name} takes a number`);
  return Number(text);
}

function formatLink({ linkId, url, madeBy, expiresAtMs, maxUses, uses }: JoinLink): string {
  const known = url ?? "  (made on another device: what opens it has not come yet)";
  return `${linkId}  by ${formatPerson(madeBy)}, until ${formatTime(expiresAtMs)}, used ${String(uses)} of ${String(maxUses)}\n  ${known.trim()}`;
}

/** `latchkey join [LINK]`. */
export const joinCommand: Command = {
  name: "join",
  usage: "join [LINK]",
  summary: "ask to be let into a group by its link; without LINK, where you wait",
  help: `Who leads the group sees your name. Once they let you in, the group is in "latchkey conversations".
LINK begins with https:// and has a # in it: put it in quotes.`,
  positionals: [0, 1],
  async run({ output, positionals: [link], withClient }) {
    await withClient(async (client) => {
      await catchUp(client);
      if (link === undefined) for (const knock of await client.knocks()) output.result(knock, formatKnock(knock));
      else {
        const knock = await client.knock(link);
        output.result(knock, `${formatKnock(knock)}: who leads the group has to let you in`);
      }
    });
  },
};

function formatKnock({ host, name, sentAtMs }: OwnKnock): string {
  const where = name === "" ? "a group" : `"${printableLine(name)}"`;
  return `asked to join ${where} on ${printableLine(host)}, ${formatTime(sentAtMs)}`;
}

/** `latchkey knocks list|admit|refuse GROUP`. */
export const knocksCommand: Command = {
  name: "knocks",
  usage: "knocks list GROUP | knocks admit GROUP NAME | knocks refuse GROUP NAME",
  summary: "people who wait at a group's links to be let in",
  help: `GROUP is the id of a conversation; NAME a username or name@host. Who is refused is not told; after three times at a link they
are passed over there.`,
  positionals: [2, 3],
  async run({ output, positionals, withClient }) {
    const [action = "", group = "", name] = positionals;
    const isList = action === "list";
    if (!["list", "admit", "refuse"].includes(action) || isList !== (name === undefined))
      throw usageError(`latchkey ${knocksCommand.usage}`);
    await withClient(async (client) => {
      await catchUp(client);
      await findConversation(client, group);
      const waiting = await client.waitingRoom(group);
      if (name === undefined) {
        for (const one of waiting) output.result(one, formatWaiting(one));
        return;
      }
      const { person } = find(waiting, name);
      await answer(client, { group, accountId: person.accountId, isAdmitted: action === "admit" });
      await client.settle({ timeoutMs: waitMs });
      if (action === "admit") output.result({ admitted: person.address }, `let in ${person.address}`);
      else output.result({ refused: person.address }, `refused ${person.address}`);
    });
  },
};

async function answer(
  client: Client,
  { group, accountId, isAdmitted }: { readonly group: string; readonly accountId: string; readonly isAdmitted: boolean },
): Promise<void> {
  await (isAdmitted ? client.admit(group, accountId) : client.refuse(group, accountId));
}

/** @throws CommandError `unknown_request` */
function find(waiting: readonly WaitingPerson[], name: string): WaitingPerson {
  const found = waiting.find(({ person }) => isNamed(person, name));
  if (found === undefined) throw new CommandError("unknown_request", `${printableLine(name)} does not wait at a link of this group`);
  return found;
}

function formatWaiting({ person, seenAtMs, refusals }: WaitingPerson): string {
  const before = refusals === 0 ? "" : `, refused ${refusals === 1 ? "once" : `${String(refusals)} times`}`;
  return `${formatPerson(person)}  asks to be let in, seen ${formatTime(seenAtMs)}${before}`;
}
