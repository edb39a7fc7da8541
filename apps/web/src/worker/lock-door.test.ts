import { expect, test } from "vitest";
import type { LockView, Opened } from "@latchkey/client/lock";
import { createLockDoor } from "./lock-door.ts";
import type { HostStatus } from "./protocol.ts";

const view: LockView = {
  hasPassphrase: true,
  passkeys: [],
  settings: { afterMs: undefined, onHide: false, wipeAfter: undefined },
  waitMs: 0,
  triesLeft: undefined,
};

test("[O-9] [O-10] whoever begins anew while a passphrase is tried has begun anew: what comes of the try opens and says nothing any more", async () => {
  // Nobody looks into the key here.
  for (const outcome of [{ kind: "opened", value: {} as CryptoKey }, { kind: "wrong", view }, { kind: "erased" }] as const) {
    const { promise: tried, resolve: answer } = Promise.withResolvers<Opened<CryptoKey>>();
    const said: HostStatus["kind"][] = [];
    const door = createLockDoor<string>({
      work: {
        view: async () => view,
        unlock: () => tried,
        change: () => Promise.reject(new Error("nothing is changed")),
        turnOn: async () => undefined,
      },
      setStatus: ({ kind }) => said.push(kind),
      handOver: () => undefined,
      end: () => undefined,
    });
    const entered = door.enter();
    await expect.poll(() => said).toEqual(["locked"]);
    const unlocked = door.act({ kind: "unlock", opener: { kind: "passphrase", passphrase: "slow" } });
    // The try has begun.
    await Promise.resolve();
    await Promise.resolve();
    door.leave("erased");
    answer(outcome);
    expect(await unlocked, outcome.kind).toEqual({ kind: "done" });
    expect(await entered).toEqual({ kind: "left", end: "erased" });
    expect(said).toEqual(["locked"]);
  }
});
