import { AdminError } from "./errors.ts";
import { readName } from "./names.ts";
import type { AdminCommands, Params } from "./params.ts";
import type { Rules } from "./rules.ts";
import { dayOf, dayText } from "../days.ts";
import type { AdminStore } from "../store/admin-store.ts";

/** What a suspension does and does not do (spec A-9), for the operator to read each time. */
const consequences = {
  does: "It gives out no keys of the account and takes nothing into its inboxes, so that nobody can begin a conversation with it or add it to a group; it may not publish keys, move to new inboxes or take another name.",
  doesNot:
    "It ends no conversation: the server does not know in which the account is, nor who writes. The account still reads what is there, sees what the server holds about it, removes devices and can delete itself.",
} as const;

/** `suspend`, `resume` and `suspended`: the services of this server for one account. What the desk decided is among the last, and ends there or by its day. */
export function suspensionCommands(parts: { rules: Rules; store: Pick<AdminStore, "rules">; nowMs: () => number }): AdminCommands {
  const set = async (params: Params, isSuspended: boolean): Promise<object> => {
    const username = readName(params);
    const accountId = await parts.rules.suspend({ username, isSuspended, day: dayOf(parts.nowMs()) });
    if (accountId === undefined) throw new AdminError("not_found", "Nobody has this name: `accounts` lists those that there are.");
    return { username, isSuspended, ...(isSuspended ? consequences : {}) };
  };
  return {
    suspend: (params) => set(params, true),
    resume: (params) => set(params, false),
    async suspended(params) {
      params.end();
      const { restricted } = await parts.store.rules();
      const shown = restricted.map(({ username, what, by, sinceDay, untilDay }) => ({
        username,
        what,
        by,
        sinceDay: dayText(sinceDay),
        untilDay: untilDay === undefined ? null : dayText(untilDay),
      }));
      const isSuspension = ({ what }: { what: string }): boolean => what === "suspended";
      return { accounts: shown.filter(isSuspension), restricted: shown.filter((one) => !isSuspension(one)) };
    },
  };
}
