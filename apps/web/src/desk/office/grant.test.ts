import { toBase64Url } from "@latchkey/client/bytes";
import { grantText } from "@latchkey/client/desk";
import type { PasskeyJson } from "@latchkey/client/desk";
import { expect, test } from "vitest";
import { sha256 } from "../sha256.ts";
import type { AskDesk } from "./desk-api.ts";
import { proveGrant } from "./grant.ts";

const grant = { act: "grant", name: "Eve", roles: ["reviewer"] } as const;
const host = "chat.example";

/** A desk that wants this signed. */
function deskOf(text: string, asked: unknown[] = []): AskDesk {
  return async (name: string, input: unknown) => {
    asked.push([name, input]);
    const challenge = toBase64Url(await sha256(new TextEncoder().encode(text)));
    return { kind: "done", value: { nonce: "n", options: { challenge } } };
  };
}

test("[F-19] a passkey signs this name, these roles and this host, and nothing that the server puts in their place", async () => {
  const signed: PasskeyJson[] = [];
  const sign = (options: PasskeyJson): Promise<PasskeyJson> => {
    signed.push(options);
    return Promise.resolve({ id: "key" });
  };
  const asked: unknown[] = [];
  const right = grantText(grant, { host, nonce: "n" });
  const proved = await proveGrant(deskOf(right, asked), host, grant, sign);
  expect(proved).toEqual({ kind: "done", proof: { nonce: "n", response: { id: "key" } } });
  expect(asked).toEqual([["staff-grant-begin", grant]]);
  for (const other of [
    grantText({ ...grant, name: "Mallory" }, { host, nonce: "n" }),
    grantText({ ...grant, roles: ["administrator"] }, { host, nonce: "n" }),
    grantText(grant, { host: "evil.example", nonce: "n" }),
    grantText(grant, { host, nonce: "m" }),
    grantText({ ...grant, act: "confirm" }, { host, nonce: "n" }),
  ]) {
    expect(await proveGrant(deskOf(other), host, grant, sign)).toEqual({ kind: "refused", code: "passkey_refused" });
  }
  expect(signed).toHaveLength(1);
  expect(await proveGrant(deskOf(right), host, grant, () => Promise.resolve(undefined))).toEqual({ kind: "refused", code: "given_up" });
});
