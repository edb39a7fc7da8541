import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { createPassphraseCalls } from "./calls.ts";
import type { PassphraseParts } from "./calls.ts";

test("[A-13] only after the ten tries of a day it is tomorrow: whoever waits for minutes is told how many", async () => {
  const host = "latchkey.example";
  const tried = async (retryAfterMs: number): Promise<unknown> => {
    const connections = {
      ownHost: () => Promise.resolve(host),
      once: () => Promise.resolve({ kind: "error", code: "rate_limited", retryAfterMs }),
    } as unknown as PassphraseParts["connections"];
    const calls = createPassphraseCalls({ connections } as PassphraseParts);
    const names = { account: toBase64Url(new Uint8Array(32)), host };
    return calls.tryRecoveryPassphrase({ names, ke1: new Uint8Array(96) }).catch((error: unknown) => error);
  };
  const told = (text: string, retryAfterMs: number) => ({
    code: "rate_limited",
    retryAfterMs,
    message: expect.stringContaining(text) as string,
  });
  expect(await tried(7 * 3_600_000)).toMatchObject(told("Try tomorrow", 7 * 3_600_000));
  expect(await tried(200_000)).toMatchObject(told("in 4 minutes", 200_000));
  expect(await tried(1000)).toMatchObject(told("in a minute", 1000));
});
