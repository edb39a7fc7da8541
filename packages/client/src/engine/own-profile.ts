import { toBase64Url } from "@latchkey/codec";
import type { ShownProfile } from "../core/profile-mark.ts";
import { profileMark } from "../core/profile-mark.ts";
import type { ConversationState } from "../core/types.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { profileOf } from "../own/view.ts";
import type { OwnThings } from "../own/own-things.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Standings } from "./standings.ts";
import type { World } from "./world.ts";

const noPicture = new Uint8Array(0);
/** Where what leads to an account's picture is stored. */
export const pictureKey = (account: string): string => `picture/${account}`;

/** Has one's own account go by the name that the person chose on whatever device of theirs; answers the account where that is another now. */
export async function followProfile(
  things: OwnThings,
  states: { readonly own: OwnAccount; update(change: (own: OwnAccount) => OwnAccount): Promise<OwnAccount> },
): Promise<OwnAccount | undefined> {
  const displayName = profileOf(things)?.displayName ?? states.own.displayName;
  return displayName === states.own.displayName ? undefined : await states.update((own) => ({ ...own, displayName }));
}

/** How this person is shown in a conversation, their picture by the id of its blob there: it is shown to nobody who is not accepted. */
export function profileIn(
  { own, standings, pictures }: Pick<World, "own" | "standings" | "pictures">,
  state: ConversationState,
): ShownProfile {
  return { displayName: own.displayName, picture: isStranger(standings, state) ? noPicture : pictures.idIn(state) };
}

function isStranger(standings: Standings, { kind, peer }: ConversationState): boolean {
  return kind === "direct" && peer !== undefined && !["accepted", "own"].includes(standings.of(peer));
}

/** What a text here tells of its author beside what it says: their name, and their picture where somebody came since it was told. */
export function toldWithText(
  world: Pick<World, "own" | "standings" | "pictures">,
  state: ConversationState,
): { readonly displayName: string | undefined; readonly picture?: Uint8Array; readonly told?: string } {
  const profile = profileIn(world, state);
  const { username } = world.own;
  const displayName = profile.displayName === username ? undefined : profile.displayName;
  const told = profileMark(profile, state);
  if (profile.picture.length === 0 || told === state.toldName) return { displayName };
  // No text waits for the picture.
  const picture = world.pictures.told(state);
  return picture === undefined ? { displayName } : { displayName, picture, told };
}

/** Remembers what leads to somebody's picture, in the caller's transaction; nothing for none any more. */
export function putPicture(tx: StoreTransaction, accountId: Uint8Array, picture: Uint8Array): void {
  const key = pictureKey(toBase64Url(accountId));
  if (picture.length === 0) tx.delete(key);
  else tx.put(key, picture);
}
