import type { ServerOptions } from "@latchkey/server";
import { invalidOption } from "./errors.ts";

/** The database that the settings name; `undefined` where they name none. The server reads the addresses itself. @throws CommandError */
export function databaseOf(one: (flag: string) => string | undefined): NonNullable<ServerOptions["database"]> | undefined {
  const [at = "", accountsAt = "", acceptLoss = ""] = [one("database"), one("accounts-database"), one("accept-loss")];
  if (!["", "yes", "no"].includes(acceptLoss)) throw invalidOption("--accept-loss is one of yes, no");
  if (at !== "") return { at, acceptLoss: acceptLoss === "yes", ...(accountsAt === "" ? {} : { accountsAt }) };
  if (accountsAt !== "" || acceptLoss !== "") throw invalidOption("--accounts-database and --accept-loss need --database");
  return undefined;
}
