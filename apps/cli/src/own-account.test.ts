import type { Client } from "@latchkey/client";
import { expect, test } from "vitest";
import { requireAccount } from "./own-account.ts";

test("a profile whose account does not count yet says what is waited for, and an empty one that there is none", async () => {
  const failure = { code: "account_waits" as const, message: "It waits.", canRetry: true };
  const profile = (pending: Awaited<ReturnType<Client["pendingAccount"]>>) =>
    // All that is asked of a client here.
    ({ account: () => Promise.resolve(undefined), pendingAccount: () => Promise.resolve(pending) }) as unknown as Client;
  await expect(requireAccount(profile({ username: "ann", failure }))).rejects.toMatchObject({
    code: "account_waits",
    message: "It waits.",
  });
  await expect(requireAccount(profile(undefined))).rejects.toMatchObject({ code: "no_account" });
});
