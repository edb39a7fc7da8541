import type { AdminStore } from "../admin-store.ts";
import type { CallName, CallParams, CallResult } from "./calls.ts";

/** How an operation reaches the store's thread. */
type CallStore = <Name extends CallName>(name: Name, params: CallParams<Name>) => Promise<CallResult<Name>>;

/** The operator's operations, over the way to the store's thread. */
export function adminCalls(call: CallStore): AdminStore {
  return {
    addInvitation: (params) => call("addInvitation", params),
    isInvited: (params) => call("isInvited", params),
    listInvitations: (params) => call("listInvitations", params),
    revokeInvitation: (params) => call("revokeInvitation", params),
    rules: () => call("rules", undefined),
    setNameReserved: (params) => call("setNameReserved", params),
    accountOfName: (params) => call("accountOfName", params),
    setSuspended: (params) => call("setSuspended", params),
    setRestrictions: (params) => call("setRestrictions", params),
    expireRestrictions: (params) => call("expireRestrictions", params),
    setSetting: (params) => call("setSetting", params),
    listAccounts: (params) => call("listAccounts", params),
    totals: () => call("totals", undefined),
  };
}
