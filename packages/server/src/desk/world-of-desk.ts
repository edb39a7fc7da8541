import { decode } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { Rules } from "../admin/rules.ts";
import type { Store } from "../store/store.ts";
import type { OfficeWorld } from "./office/world.ts";

/** What the desk may ask, answered by the server: of one account at a time, by its id. */
export function worldOfDesk({ store, rules }: { store: Pick<Store, "accountHead">; rules: Pick<Rules, "restrict"> }): OfficeWorld {
  return {
    async usernameOf(params) {
      const head = await store.accountHead(params);
      if (head === undefined) return undefined;
      const { status, username } = decode(accountStateCodec, decode(signedCodec, head.state).body);
      return status === "active" ? username : undefined;
    },
    restrict: ({ accountId, sanctions }) => rules.restrict({ accountId, restrictions: sanctions }),
  };
}
