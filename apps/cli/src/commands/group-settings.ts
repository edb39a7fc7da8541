import type { Client, GroupRights, Member } from "@latchkey/client";
import { isNamed, memberId } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { printableLine } from "../output.ts";
import { pictureHelp, readPicture } from "../picture-file.ts";

type Setting = (client: Client, id: string) => Promise<void>;

const roleNames: readonly Member["role"][] = ["member", "administrator", "owner"];
const holders = ["everyone", "administrators", "owner"] as const;
const policies = ["off", "1_day", "7_days", "30_days", "100_messages"] as const;
const rightNames = {
  add: "add",
  remove: "remove",
  post: "post",
  "edit-info": "editInfo",
  timer: "timer",
  pin: "pin",
  invite: "invite",
  "mention-all": "mentionAll",
  "delete-others": "deleteOthers",
  "share-history": "shareHistory",
} as const;

/** The actions of `latchkey group` that set something. */
export const settingActions = ["role", "name", "describe", "picture", "rights", "timer", "slow-mode", "keep-out", "let-in"] as const;

/** What they take, for the help. */
export const settingHelp: string = `  role      MEMBER... become member, administrator or owner
  name, describe  what the group is called, and what it is about ("" takes the description away)
  picture   FILE: ${pictureHelp}
  rights    RIGHT=everyone|administrators|owner, of ${Object.keys(rightNames).join(", ")};
            approval=on|off, history=off|1_day|7_days|30_days|100_messages: what
            who joins is given of what was said while it was not off
  timer     TIME after which what is said from now on goes: 30s, 5m, 8h, 1d, 4w, or
            off; between two people either sets it
  slow-mode TIME that everybody waits between two messages; off for none
  keep-out  PERSON... who are not in the group: nobody adds them, and no link lets
            them in; with remove: --keep-out
  let-in    PERSON... who were kept out may be added again`;

/** Whether it is one of them. */
export function isSettingAction(action: string): action is (typeof settingActions)[number] {
  return settingActions.some((name) => name === action);
}

/** What such a call sets. @throws CommandError for what cannot be meant */
export function settingOf(action: (typeof settingActions)[number], given: readonly string[]): Setting {
  const [first, ...rest] = given;
  if (first === undefined) throw usageError(`group ${action} needs to be told what`);
  switch (action) {
    case "role": {
      const role = roleNames.find((name) => name === first);
      if (role === undefined || rest.length === 0) throw usageError("group role ID member|administrator|owner MEMBER...");
      return async (client, id) => {
        const accountIds: string[] = [];
        for (const member of rest) accountIds.push(await memberId(client, id, member));
        await client.setRole(id, accountIds, role);
      };
    }
    case "name":
      return (client, id) => client.changeSettings(id, { name: given.join(" ") });
    case "describe":
      return (client, id) => client.changeSettings(id, { description: given.join(" ") });
    case "picture": {
      if (rest.length > 0) throw usageError("group picture ID FILE");
      const picture = readPicture(first);
      return (client, id) => client.setGroupPicture(id, picture);
    }
    case "rights": {
      const rights = Object.fromEntries(given.map((pair) => rightOf(pair))) as Partial<GroupRights>;
      return (client, id) => client.changeSettings(id, { rights });
    }
    case "keep-out":
      return async (client, id) => {
        const people = await Promise.all(given.map((address) => client.resolve(address)));
        await client.keepOut(
          id,
          people.map(({ accountId }) => accountId),
          true,
        );
      };
    case "let-in":
      return async (client, id) => {
        const { keptOut } = await client.details(id);
        const accountIds = given.map((address) => {
          const person = keptOut.find((one) => isNamed(one, address));
          if (person === undefined) throw new CommandError("not_kept_out", `${printableLine(address)} is not kept out of this group`);
          return person.accountId;
        });
        await client.keepOut(id, accountIds, false);
      };
    case "timer":
    case "slow-mode": {
      const seconds = secondsOf(first);
      if (seconds === undefined || rest.length > 0) throw usageError(`group ${action} takes a time: 90, 30s, 5m, 8h, 1d, 4w, or off`);
      return (client, id) => client.changeSettings(id, action === "timer" ? { timerS: seconds } : { slowModeS: seconds });
    }
  }
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** A span as somebody writes it, in seconds. */
function secondsOf(text: string): number | undefined {
  if (text === "off") return 0;
  const [, digits, unit = "s"] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitSeconds[unit as keyof typeof unitSeconds];
}

function rightOf(pair: string): readonly [string, string | boolean] {
  const [name = "", value = ""] = pair.split("=");
  if (name === "approval" && (value === "on" || value === "off")) return [name, value === "on"];
  if (name === "history" && policies.some((known) => known === value)) return [name, value];
  const right = Object.entries(rightNames).find(([known]) => known === name)?.[1];
  const holder = holders.find((known) => known === value);
  if (right === undefined || holder === undefined || (right === "remove" && holder === "everyone"))
    throw usageError("group rights ID RIGHT=everyone|administrators|owner..., and remove is never everyone's");
  return [right, holder];
}
