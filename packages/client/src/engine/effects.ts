import type { ConversationState, Effect, Line } from "../core/types.ts";

/** Accounts that showing a conversation in a list needs. */
export function accountsOf({ peer, base, invitations }: ConversationState, lastLine: Line | undefined): readonly Uint8Array[] {
  const asking = invitations.flatMap(({ accountId, missing }) => [accountId, ...missing]);
  return [peer, base?.accountId, lastLine?.author, ...asking].filter((accountId) => accountId !== undefined);
}

/** Accounts that showing this effect needs. */
export function accountsIn(effect: Effect): readonly Uint8Array[] {
  if (effect.kind === "line") return accountsOfLine(effect.line);
  return effect.kind === "content" ? [effect.said.author, ...effect.said.mentions.accounts] : [];
}

/** Accounts that showing this line needs. */
export function accountsOfLine({ author, body, message }: Line): readonly Uint8Array[] {
  const named = "accounts" in body ? body.accounts : "account" in body ? [body.account] : [];
  const changed = (message?.facts ?? []).map((fact) => fact.author);
  const refused = (message?.refused ?? []).map(({ account }) => account);
  const givers = [author, message?.sharedBy].filter((accountId) => accountId !== undefined);
  return [...givers, ...named, ...(message?.mentions.accounts ?? []), ...changed, ...refused];
}

/** Whether it makes a conversation look otherwise in the list. */
export function changesList(effect: Effect): boolean {
  return (
    effect.kind === "line" ||
    effect.kind === "content" ||
    effect.kind === "outgoing" ||
    effect.kind === "dropped" ||
    effect.kind === "receipt" ||
    effect.kind === "named"
  );
}

const shown = [
  "name",
  "phase",
  "memberCount",
  "unread",
  "readThrough",
  "draft",
  "updatedAtMs",
  "invitations",
] as const satisfies readonly (keyof ConversationState)[];

/** Whether the conversation itself does. */
export function isShownDifferently(before: ConversationState, after: ConversationState): boolean {
  const isSame = before.link.stall === after.link.stall && before.link.cannotRemove === after.link.cannotRemove;
  return !isSame || shown.some((field) => before[field] !== after[field]);
}

const holding = ["unverified", "departed", "leavers", "recovered", "away"] as const satisfies readonly (keyof ConversationState)[];

/** Whether what holds sending there changed, or who may be let back (see `verificationOf`). */
export function isHeldDifferently(before: ConversationState, after: ConversationState): boolean {
  const isSame = holding.every((field) => {
    const [was, is]: readonly (readonly unknown[])[] = [before[field], after[field]];
    return was?.length === is?.length && was?.every((one, at) => one === is?.[at]) === true;
  });
  return !isSame || before.link.cannotRemove !== after.link.cannotRemove;
}
