import { equalBytes, toBase64Url } from "@latchkey/codec";
import { createProfileContent } from "@latchkey/protocol";
import type { AppendSecret } from "@latchkey/protocol";
import { isSameProfile, markWithName, profileMark } from "../core/profile-mark.ts";
import { isHolding } from "../core/sending.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState, Effect, Input } from "../core/types.ts";
import type { StoreTransaction } from "../store/store.ts";
import { profileIn } from "./own-profile.ts";
import type { SenderStanding } from "./standings.ts";
import type { World } from "./world.ts";

/** What a conversation is told of this person beside what they say, and what its other person told of themselves (spec I-1). */
export interface Introduction {
  readonly input: Extract<Input, { kind: "compose" }>;
  readonly appendSecret: AppendSecret | undefined;
}

/** How the other person of a direct conversation stands; `undefined` in groups. */
export function standingIn({ standings }: Pick<World, "standings">, { kind, peer }: ConversationState): SenderStanding | undefined {
  return kind !== "direct" || peer === undefined ? undefined : standings.of(peer);
}

/** What a message here is to tell of one's own append secret: something in direct conversations with somebody accepted only. */
export function untoldSecret(world: World, state: ConversationState): AppendSecret | undefined {
  return standingIn(world, state) === "accepted" ? world.appendSecrets.untold(state.id) : undefined;
}

/**
 * By which name this person goes, what leads to their picture once that is at the host, and the append secret of now for whoever knows one that was replaced; `undefined` where nothing is new.
 * @param isAnew of the picture to whoever came since it was told, too: a text was to tell it before it was at the host
 */
export function introductionTo(world: World, state: ConversationState, isAnew = false): Introduction | undefined {
  const { own, platform, appendSecrets, pictures } = world;
  const profile = profileIn(world, state);
  const { displayName } = profile;
  const { kind, phase, memberCount, toldName } = state;
  if (kind === "devices" || phase.kind !== "active" || memberCount < 2 || !isCaughtUp(state)) return undefined;
  // What would wait for the person is not begun: it is told once messages go again.
  if (standingIn(world, state) === "blocked" || isHolding(state)) return undefined;
  const appendSecret = untoldSecret(world, state);
  const isOutdated = appendSecret !== undefined && appendSecrets.isOutdated(state.id);
  // Who never told anything goes by their username.
  const before = toldName === "" ? own.username : toldName;
  const mark = profileMark(profile, state);
  const isWhole = isAnew ? mark === before : isSameProfile(mark, before);
  if (!isOutdated && isWhole) return undefined;
  const reference = profile.picture.length === 0 || isWhole ? undefined : pictures.told(state);
  const picture = profile.picture.length === 0 ? profile.picture : reference;
  const told = picture === undefined ? markWithName(before, displayName) : mark;
  if (!isOutdated && told === before) return undefined;
  const salt = platform.random(16);
  const content = createProfileContent({ displayName, picture, appendSecret, salt, sentAtMs: platform.nowMs() });
  return { input: { kind: "compose", id: toBase64Url(salt), purpose: "profile", text: displayName, content, told }, appendSecret };
}

/** Keeps what somebody told of their append secret, or that one's own was told by another device of one's own. */
export async function takeSecret(
  { own, appendSecrets }: World,
  tx: StoreTransaction,
  conversationId: string,
  { accountId, appendSecret }: Extract<Effect, { kind: "append_secret" }>,
): Promise<void> {
  if (equalBytes(accountId, own.accountId)) await appendSecrets.noteTold(tx, conversationId, appendSecret);
  else await appendSecrets.take(tx, accountId, appendSecret);
}
