import type { ConversationDetails, Person } from "@latchkey/client";
import { fold } from "@latchkey/client/own";

/** Somebody who can be mentioned. */
export interface Mentionable {
  /** What a link to them leads to (spec X-1). */
  readonly uri: string;
  /** The words that travel with it: nothing that only this person calls them. */
  readonly hint: string;
  /** `undefined` for everybody. */
  readonly person: Person | undefined;
}

/** As many as a list above the field shows. */
const most = 8;

/** Who can be mentioned in a group, those first whose names begin with what is asked for; never oneself. */
export function mentionable(
  { members, conversation, mentionAllUri }: Pick<ConversationDetails, "members" | "conversation" | "mentionAllUri">,
  query: string,
  everybody: string,
): readonly Mentionable[] {
  const asked = fold(query.trim());
  const found = members
    // An account on another host is none that a link here can name.
    .filter(({ person }) => !person.isSelf && person.host === conversation.host)
    .flatMap(({ person }) => {
      const rank = rankOf([person.displayName, person.username], asked);
      return rank === undefined ? [] : [{ person, rank }];
    })
    .toSorted((a, b) => a.rank - b.rank || a.person.displayName.localeCompare(b.person.displayName))
    .slice(0, most)
    .map(({ person }) => ({ uri: `mimi://${conversation.host}/u/${person.accountId}`, hint: `@${person.username}`, person }));
  if (mentionAllUri === undefined || rankOf([everybody.replace("@", ""), "everybody", "all"], asked) === undefined) return found;
  return [...found.slice(0, most - 1), { uri: mentionAllUri, hint: "@all", person: undefined }];
}

/** 0: a name begins so, 1: a word of one, 2: it stands in one; `undefined`: in none. */
function rankOf(names: readonly string[], asked: string): number | undefined {
  const ranks = names.map(fold).flatMap((name) => {
    const at = name.indexOf(asked);
    if (at <= 0) return at === 0 ? [0] : [];
    return [name.includes(` ${asked}`) ? 1 : 2];
  });
  return ranks.length === 0 ? undefined : Math.min(...ranks);
}
