import type { AdminStore } from "../store/admin-store.ts";
import type { AdminCommands, Params } from "./params.ts";

const pageSize = 1000;

/** `accounts`: their names, which are public, and what each takes. Nothing here says who talks to whom, or when. */
export function accountCommands({ store }: { store: AdminStore }): AdminCommands {
  return {
    async accounts(params: Params) {
      const after = params.text("after", { maxLength: 32 }) ?? "";
      const maxItems = params.whole("limit", { least: 1, most: pageSize }) ?? pageSize;
      params.end();
      const [totals, rules, found] = await Promise.all([
        store.totals(),
        store.rules(),
        store.listAccounts({ after, maxItems: maxItems + 1 }),
      ]);
      const suspended = new Set(rules.restricted.filter(({ what }) => what === "suspended").map(({ username }) => username));
      const accounts = found.slice(0, maxItems).map(({ username, devices, sizeBytes }) => ({
        username,
        devices,
        sizeBytes,
        isSuspended: suspended.has(username),
      }));
      return { count: totals.accounts, accounts, hasMore: found.length > maxItems };
    },
  };
}
