import type { AccountInfo, Client } from "@latchkey/client";
import { CommandError } from "./errors.ts";

/** The account of the profile. @throws CommandError `account_waits` while it is made and does not count yet, `no_account` when there is none */
export async function requireAccount(client: Client): Promise<AccountInfo> {
  const account = await client.account();
  if (account !== undefined) return account;
  const pending = await client.pendingAccount();
  if (pending !== undefined) throw new CommandError("account_waits", pending.failure.message);
  throw new CommandError("no_account", 'this profile has no account: see "latchkey register --help"');
}
