import type { ServerOptions } from "@latchkey/server";
import { invalidOption } from "./errors.ts";

/** The database that the settings name; `undefined` where they name none. The server reads the addresses itself. @throws CommandError */
export function databaseOf(one: (flag: string) => string | undefined): NonNullable<ServerOptions["database"]> | undefined {
  const [at = "", accountsAt = "", nats = "", acceptLoss = ""] = ["database", "accounts-database", "nats", "accept-loss"].map(one);
  if (!["", "yes", "no"].includes(acceptLoss)) throw invalidOption("--accept-loss is one of yes, no");
  if (at !== "")
    return { at, acceptLoss: acceptLoss === "yes", ...(accountsAt === "" ? {} : { accountsAt }), ...(nats === "" ? {} : { nats }) };
  if (accountsAt + nats + acceptLoss !== "") throw invalidOption("--accounts-database, --nats and --accept-loss need --database");
  return undefined;
}
