import { afterAll, expect, test, vi } from "vitest";
import { random } from "../testing/fixtures.ts";
import { passphraseCryptoHere } from "./passphrase-crypto.ts";

// Files that ran before in this process have these modules without what is put in their place here, and those that come have them so again.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.doUnmock("@serenity-kit/opaque");
  vi.resetModules();
});

const thrown = vi.hoisted(() => ({ error: new Error("no message of the protocol") }));

vi.mock("@serenity-kit/opaque", () => {
  const fail = (): never => {
    throw thrown.error;
  };
  return { ready: Promise.resolve(), server: { createRegistrationResponse: fail, startLogin: fail, finishLogin: fail } };
});

const names = { account: "AAAA", host: "latchkey.example" };

test("[A-13] WebAssembly that ended is no wrong message: what it threw ends the thread, which is begun anew", async () => {
  const asked = [
    () => passphraseCryptoHere.begin(random(32), names, random(32)),
    () => passphraseCryptoHere.try(random(32), names, random(192), random(96)),
    () => passphraseCryptoHere.verify(names, random(64), random(64)),
  ];
  for (const ask of asked) expect((await ask()) || undefined).toBeUndefined();
  for (const error of [Object.assign(new Error("unreachable"), { name: "RuntimeError" }), new RangeError("out of memory")]) {
    thrown.error = error;
    for (const ask of asked) await expect(ask()).rejects.toBe(error);
  }
});
