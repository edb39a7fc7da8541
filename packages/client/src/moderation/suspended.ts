import { CodecError, decode, encode, equalBytes, opaque, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { httpPaths, isInSuspendedList, maxSuspendedListBytes, suspendedLabelCodec, suspendedListCodec } from "@latchkey/protocol";
import type { SuspendedList } from "@latchkey/protocol";
import { createOperatorLabels } from "../directory/operator-labels.ts";
import type { Raised } from "../directory/alarms.ts";
import type { Watched, World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { fetchWithin, readBody } from "../transport/fetch-within.ts";

/** A list is looked for again after so long. */
const againMs = 20 * 3_600_000;
/** People whom one look tells of; of more the next one does. */
const toldAtOnce = 16;
const checkedKey = "suspended/checked";
const toldPrefix = "suspended/told/";

/** The list that was compared last. */
interface Checked {
  readonly atMs: number;
  readonly listHash: Uint8Array;
}

const checkedCodec: Codec<Checked> = struct<Checked>({ atMs: safeUint64, listHash: opaque(32) });

/** What the look needs of the world. */
export type SuspendedWorld = Pick<World, "store" | "platform" | "connections" | "directory" | "own" | "alarms">;

/**
 * Looks once a day whether the host has another list of suspended accounts, fetches it as everybody does, and compares it here with the people
 * whom this device knows: nobody is asked about anybody. Each of them is told once while they stand there (spec F-12).
 * @throws ClientError what cannot be had now is looked for again
 */
export async function lookForSuspended(world: SuspendedWorld, conversations: readonly Watched[]): Promise<void> {
  const { store, platform, connections, directory, own, alarms } = world;
  const stored = await store.transact("read", (tx) => tx.get(checkedKey));
  const checked = stored === undefined ? undefined : decode(checkedCodec, stored);
  const nowMs = platform.nowMs();
  if (checked !== undefined && Math.abs(nowMs - checked.atMs) < againMs) return;
  const labels = createOperatorLabels({ store, platform, connections, log: directory.log });
  const value = await labels.newest(own.host, "suspended");
  const listHash = value === undefined ? undefined : hashIn(value);
  const none = new Uint8Array(32);
  const list = listHash === undefined || equalBytes(listHash, checked?.listHash ?? none) ? undefined : await fetchList(world, listHash);
  const [known, isAll] = list === undefined ? [[], true] : await compare(world, list, conversations);
  // With more people than are told at once the same list is compared again tomorrow.
  const next: Checked = { atMs: nowMs, listHash: isAll ? (listHash ?? none) : none };
  await store.transact("write", (tx) => {
    tx.put(checkedKey, encode(checkedCodec, next));
    for (const raised of known) {
      alarms.put(tx, raised);
      tx.put(toldPrefix + (raised.accountId ?? ""), new Uint8Array([1]));
    }
  });
  for (const raised of known) alarms.tell(raised);
}

/** Those who stand in the list and were not told; who does not any more may be told again. */
async function compare(
  { store, platform, own }: SuspendedWorld,
  list: SuspendedList,
  conversations: readonly Watched[],
): Promise<readonly [readonly Raised[], boolean]> {
  const told = await store.transact(
    "read",
    async (tx) => new Set((await tx.scan({ prefix: toldPrefix })).map(([key]) => key.slice(toldPrefix.length))),
  );
  const people = new Map<string, { readonly accountId: Uint8Array; readonly conversationId: string }>();
  const meet = (accountId: Uint8Array, conversationId: string): void => {
    if (!equalBytes(accountId, own.accountId)) people.set(toBase64Url(accountId), { accountId, conversationId });
  };
  for (const conversation of conversations) {
    await conversation.load();
    const { roster, kind } = conversation.state;
    if (kind !== "group") continue;
    for (const [leaf] of roster?.accounts.values() ?? []) if (leaf !== undefined) meet(leaf.accountId, conversation.id);
  }
  // Of somebody whom one writes to alone that conversation counts.
  for (const { id, state } of conversations) if (state.kind === "direct" && state.peer !== undefined) meet(state.peer, id);
  const found = [...people].filter(([, { accountId }]) => isInSuspendedList(platform.sha256, list, accountId));
  const standing = new Set(found.map(([account]) => account));
  await store.transact("write", (tx) => {
    for (const account of told) if (!standing.has(account)) tx.delete(toldPrefix + account);
  });
  const fresh = found.filter(([account]) => !told.has(account));
  const raised = fresh.slice(0, toldAtOnce).map(([account, { conversationId }]): Raised => {
    const message = "The server suspended somebody with whom you are in touch.";
    return {
      failure: { code: "contact_suspended", message, canRetry: false },
      conversationId,
      accountId: account,
      about: `suspended ${account} ${String(list.day)}`,
    };
  });
  return [raised, fresh.length <= toldAtOnce];
}

/** The list with this hash. @throws ClientError `offline` while the server gives another one, or none */
async function fetchList({ platform, connections, own }: SuspendedWorld, listHash: Uint8Array): Promise<SuspendedList> {
  const url = connections.httpUrl(own.host) + httpPaths.suspended;
  const bytes = await fetchWithin(platform, url, { credentials: "omit" }, async (response) =>
    response.ok ? await readBody(response, maxSuspendedListBytes) : undefined,
  ).catch(() => undefined);
  if (bytes === undefined || !equalBytes(platform.sha256(bytes), listHash)) throw notHere();
  try {
    const list = decode(suspendedListCodec, bytes);
    if (list.host === own.host) return list;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  throw notHere();
}

function hashIn(value: Uint8Array): Uint8Array | undefined {
  try {
    return decode(suspendedLabelCodec, value).listHash.slice();
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function notHere(): ClientError {
  return new ClientError("offline", "The server's list of suspended accounts cannot be had now.");
}
