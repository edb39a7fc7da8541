import { decode } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { DirectoryStore } from "../store/store.ts";

/** The inboxes of an account's devices, as its newest state names them. @throws StoreError */
export async function inboxesOf(
  store: Pick<DirectoryStore, "accountHead" | "inboxOf">,
  accountId: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const head = await store.accountHead({ accountId });
  if (head === undefined) return [];
  const { devices } = decode(accountStateCodec, decode(signedCodec, head.state).body);
  const inboxes = await Promise.all(devices.map(({ deviceId }) => store.inboxOf({ accountId, deviceId })));
  return inboxes.filter((inbox) => inbox !== undefined);
}
