import { fromBase64Url, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { loadContact } from "../account/contacts.ts";
import { archivedOf } from "../devices/archive.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { storedName } from "../engine/people.ts";
import type { World } from "../engine/world.ts";
import type { StoreTransaction } from "../store/store.ts";
import { itemBytes } from "./format.ts";
import type { HistoryItem } from "./format.ts";
import { loadTold } from "./stored.ts";
import type { Touched } from "./stored.ts";

/** What a conversation or a person is, for a chunk. */
export interface Heads {
  readonly items: readonly HistoryItem[];
  /** Those that are said by that, or need not be. */
  readonly settled: Touched;
  /** What was written of each person, as eight bytes. */
  readonly told: ReadonlyMap<string, Uint8Array>;
}

/** Members of a conversation that are named. */
const mostMembers = 2000;
/** An account with a longer history is known by its name alone. */
const mostProofBytes = 32_768;

/** What conversations and people are that lines were written of: as much as so many bytes take. */
export async function gatherHeads(
  world: Pick<World, "store" | "directory" | "own" | "platform">,
  touched: Touched,
  { runner, leftBytes }: { readonly runner: (id: string) => ConversationRunner | undefined; readonly leftBytes: number },
): Promise<Heads> {
  const items: HistoryItem[] = [];
  const settled = { conversations: [] as string[], authors: [] as string[] };
  const told = new Map<string, Uint8Array>();
  let left = leftBytes;
  const fits = (more: readonly HistoryItem[]): boolean => {
    const bytes = more.reduce((sum, item) => sum + itemBytes(item), 0);
    if (bytes > left) return false;
    left -= bytes;
    items.push(...more);
    return true;
  };
  for (const id of touched.conversations) {
    if (!fits(await conversationItems(runner(id)))) return { items, settled, told };
    settled.conversations.push(id);
  }
  for (const account of touched.authors) {
    const person = await world.store.transact("read", (tx) => personOf(world, tx, account));
    if (person !== undefined && !fits([person.item])) break;
    if (person !== undefined) told.set(account, person.mark);
    settled.authors.push(account);
  }
  return { items, settled, told };
}

async function conversationItems(found: ConversationRunner | undefined): Promise<readonly HistoryItem[]> {
  if (found === undefined) return [];
  await found.load();
  const { state } = found;
  const archived = archivedOf(state);
  if (archived === undefined) return [];
  const accounts = state.roster === undefined ? state.formerMembers : [...state.roster.accounts.keys()].map((id) => fromBase64Url(id));
  return [
    { kind: "conversation", ...archived },
    { kind: "members", logId: state.logId, accounts: accounts.slice(0, mostMembers) },
  ];
}

/** What is said of a person; `undefined` where that was said, or is of oneself. */
async function personOf(
  { directory, own, platform }: Pick<World, "directory" | "own" | "platform">,
  tx: StoreTransaction,
  account: string,
): Promise<{ readonly item: HistoryItem; readonly mark: Uint8Array } | undefined> {
  if (account === toBase64Url(own.accountId)) return undefined;
  const accountId = fromBase64Url(account);
  const contact = await loadContact(tx, accountId);
  const displayName = (await storedName(tx, account)) ?? "";
  const known = contact === undefined ? "" : `${String(contact.account.state.version)} ${contact.username}`;
  const mark = platform.sha256(utf8Bytes(`${known}\n${displayName}`)).slice(0, 8);
  const before = await loadTold(tx, account);
  if (before !== undefined && toBase64Url(before) === toBase64Url(mark)) return undefined;
  const proofs = contact === undefined ? new Uint8Array(0) : await directory.proofsOf(tx, [accountId]);
  return { item: { kind: "person", accountId, displayName, proofs: proofs.length > mostProofBytes ? new Uint8Array(0) : proofs }, mark };
}
