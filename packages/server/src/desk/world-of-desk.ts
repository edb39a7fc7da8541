import { decode } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { AccountState } from "@latchkey/transparency";
import type { Rules } from "../admin/rules.ts";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import type { InboxService } from "../inboxes/inbox-service.ts";
import type { AdminStore } from "../store/admin-store.ts";
import { countsInRecord } from "./counts-in-record.ts";
import type { HistoryStore } from "../store/history-store.ts";
import type { DirectoryStore, InboxStore } from "../store/store.ts";
import { assembleHoldings, pageBytes } from "./holdings.ts";
import type { OfficeWorld } from "./office/world.ts";

/** What the desk may ask, answered by the server: of one account at a time, by its id. */
export function worldOfDesk(parts: {
  store: Pick<DirectoryStore, "accountHead" | "holdings" | "heldStates" | "card" | "inboxOf"> &
    Pick<InboxStore, "readItems"> &
    Pick<HistoryStore, "heldChunks"> & { readonly admin: Pick<AdminStore, "accountOfName"> };
  host: string;
  rules: Pick<Rules, "restrict">;
  inboxes: Pick<InboxService, "postNotice">;
  operatorLabels: Pick<OperatorLabels, "publish" | "lookup">;
}): OfficeWorld {
  const { store, host, rules, inboxes, operatorLabels } = parts;
  const stateOf = async (params: { accountId: Uint8Array }): Promise<AccountState | undefined> => {
    const head = await store.accountHead(params);
    return head === undefined ? undefined : decode(accountStateCodec, decode(signedCodec, head.state).body);
  };
  return {
    async usernameOf(params) {
      const state = await stateOf(params);
      return state?.status === "active" ? state.username : undefined;
    },
    async accountOf(params) {
      const found = "accountId" in params ? params : await store.admin.accountOfName(params);
      const state = found === undefined ? undefined : await stateOf(found);
      if (found === undefined || state?.status !== "active") return undefined;
      return { accountId: found.accountId, ...(state.username === undefined ? {} : { username: state.username }) };
    },
    restrict: ({ accountId, sanctions }) => rules.restrict({ accountId, restrictions: sanctions }),
    publishKeys: ({ value }) => operatorLabels.publish("desk", value),
    counts: (params) => countsInRecord(operatorLabels, params),
    async statesOf({ accountId }) {
      const states: Uint8Array[] = [];
      for (let fromVersion = 0; ;) {
        const page = await store.heldStates({ accountId, fromVersion, maxBytes: pageBytes });
        const last = page.at(-1);
        if (last === undefined) return states;
        states.push(...page.map(({ state }) => state));
        fromVersion = last.version + 1;
      }
    },
    holdingsOf: ({ accountId }) => assembleHoldings({ store, host }, accountId),
    async cardsOf({ accountId }) {
      const devices = (await stateOf({ accountId }))?.devices ?? [];
      const found = await Promise.all(
        devices.map(async ({ deviceId }) => {
          const [card, inboxId] = await Promise.all([store.card({ accountId, deviceId }), store.inboxOf({ accountId, deviceId })]);
          return card === undefined || inboxId === undefined ? undefined : { card, inboxId };
        }),
      );
      return found.filter((one) => one !== undefined);
    },
    postNotice: ({ inboxId, item }) => inboxes.postNotice({ inboxId, blob: item }),
  };
}
