import { isUsername } from "@latchkey/protocol";
import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";
import type { Rules } from "./rules.ts";

const maxKeptNames = 10_000;

/** `reserve`, `unreserve` and `reserved`: names that nobody may register. Who has one already keeps it. */
export function nameCommands({ rules }: { rules: Rules }): AdminCommands {
  return {
    async reserve(params: Params) {
      const name = readName(params);
      if (rules.keptNames.length >= maxKeptNames) {
        throw new AdminError("limit", `There are ${String(maxKeptNames)} reserved names: give some free first.`);
      }
      await rules.keepName(name, true);
      return { name, isReserved: true };
    },
    async unreserve(params: Params) {
      const name = readName(params);
      if (!rules.keptNames.includes(name)) throw new AdminError("not_found", "This name is not reserved: `reserved` lists those that are.");
      await rules.keepName(name, false);
      return { name, isReserved: false };
    },
    async reserved(params: Params) {
      params.end();
      return Promise.resolve({ names: rules.keptNames });
    },
  };
}

/** @throws AdminError `usage` */
export function readName(params: Params): string {
  const name = params.text("name", { maxLength: 64 })?.toLowerCase();
  params.end();
  if (name === undefined || !isUsername(name)) {
    throw new AdminError("usage", "A username is 3 to 32 of a-z, 0-9, underscore, dot and hyphen.");
  }
  return name;
}
