import { afterAll, expect, test, vi } from "vitest";
import type { Opaque } from "./types.ts";

const thrown = { error: new Error("no message of the protocol") };
const fail = (): never => {
  throw thrown.error;
};

/** The library's calls fail, whatever other tests had of it before. */
async function failing(): Promise<typeof import("./opaque.ts")> {
  vi.resetModules();
  vi.doMock("@serenity-kit/opaque", () => ({
    ready: Promise.resolve(),
    client: { startRegistration: fail, finishRegistration: fail, startLogin: fail, finishLogin: fail },
  }));
  return await import("./opaque.ts");
}

afterAll(() => {
  vi.doUnmock("@serenity-kit/opaque");
  vi.resetModules();
});

const one = { passphrase: "acid lighthouse marmalade", state: "AAAA", names: { account: "AAAA", host: "latchkey.example" } };
const finishLogin = (opaqueHere: Opaque) => () => opaqueHere.finishLogin({ ...one, ke2: new Uint8Array(320) });
const finishRegistration = (opaqueHere: Opaque) => () => opaqueHere.finishRegistration({ ...one, response: new Uint8Array(64) });

test("[A-13] a device that could not compute, for want of memory, does not take the passphrase for another one", async () => {
  const { CannotCompute, opaqueHere } = await failing();
  expect(await finishLogin(opaqueHere)()).toBeUndefined();
  expect(await finishRegistration(opaqueHere)()).toBeUndefined();
  for (const error of [
    Object.assign(new Error("unreachable"), { name: "RuntimeError" }),
    new RangeError("Array buffer allocation failed"),
  ]) {
    thrown.error = error;
    const all = [
      finishLogin(opaqueHere),
      finishRegistration(opaqueHere),
      () => opaqueHere.startLogin(one.passphrase),
      () => opaqueHere.startRegistration(one.passphrase),
    ];
    for (const call of all) await expect(call()).rejects.toBeInstanceOf(CannotCompute);
  }
});
