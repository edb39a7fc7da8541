import type { TokenOperation } from "@latchkey/protocol/tokens";
import type { DirectoryLog } from "../directory/log.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import type { RoleConnection } from "../transport/connection.ts";

/** What a token is spent on. */
export interface Spending {
  readonly host: string;
  readonly operation: TokenOperation;
  /** The id of the log, inbox, link or report; of a key package its device's. */
  readonly target: Uint8Array;
}

/** Anonymous tokens of one's own host (spec T-1): a stock of them is kept, and each is given away once. */
export interface Tokens {
  /**
   * Asks for what costs a token, with one where there is one: `ask` is called with its bytes, or none, and again with another where the
   * server wants one, or has that one spent.
   */
  spend<Answer extends { readonly kind: string }>(what: Spending, ask: (token: Uint8Array) => Promise<Answer>): Promise<Answer>;
  /**
   * Whether there are so many for what somebody else began (spec T-2), beside those that are kept for what the person does: some are got for
   * that, but never the day's last. True where nothing costs one.
   */
  areSpare(operation: TokenOperation, count: number): Promise<boolean>;
  /** This device is connected: what is missing in the stock is got there. */
  connected(connection: RoleConnection<"device">): void;
}

/** What a stock of tokens is kept with. */
export interface TokenParts {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Pick<Connections, "once">;
  readonly log: Pick<DirectoryLog, "knownSize" | "proveAt">;
}
