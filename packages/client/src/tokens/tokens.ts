import type { Purse } from "./purse.ts";
import type { TokenParts, Tokens } from "./types.ts";

/** The stock is loaded with its first use: nothing of it is needed to show what was said. */
export function createTokens(parts: TokenParts): Tokens {
  let loading: Promise<Purse> | undefined;
  const load = (): Promise<Purse> => {
    loading ??= import("./purse.ts")
      .then(({ Purse }) => new Purse(parts))
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
    return loading;
  };
  return {
    async spend(what, ask) {
      const purse = await load().catch(() => undefined);
      return await (purse === undefined ? ask(new Uint8Array(0)) : purse.spend(what, ask));
    },
    async areSpare(operation, count) {
      const purse = await load().catch(() => undefined);
      return purse === undefined || (await purse.areSpare(operation, count));
    },
    connected(connection) {
      load().then(
        (purse) => purse.connected(connection),
        () => undefined,
      );
    },
  };
}
