import { expect, test, vi } from "vitest";
import { CannotCompute, opaqueHere } from "./opaque.ts";

const thrown = vi.hoisted(() => ({ error: new Error("no message of the protocol") }));

vi.mock("@serenity-kit/opaque", () => {
  const fail = (): never => {
    throw thrown.error;
  };
  return {
    ready: Promise.resolve(),
    client: { startRegistration: fail, finishRegistration: fail, startLogin: fail, finishLogin: fail },
  };
});

const one = { passphrase: "acid lighthouse marmalade", state: "AAAA", names: { account: "AAAA", host: "latchkey.example" } };
const finishLogin = () => opaqueHere.finishLogin({ ...one, ke2: new Uint8Array(320) });
const finishRegistration = () => opaqueHere.finishRegistration({ ...one, response: new Uint8Array(64) });

test("[A-13] a device that could not compute, for want of memory, does not take the passphrase for another one", async () => {
  expect(await finishLogin()).toBeUndefined();
  expect(await finishRegistration()).toBeUndefined();
  for (const error of [
    Object.assign(new Error("unreachable"), { name: "RuntimeError" }),
    new RangeError("Array buffer allocation failed"),
  ]) {
    thrown.error = error;
    const all = [
      finishLogin,
      finishRegistration,
      () => opaqueHere.startLogin(one.passphrase),
      () => opaqueHere.startRegistration(one.passphrase),
    ];
    for (const call of all) await expect(call()).rejects.toBeInstanceOf(CannotCompute);
  }
});
