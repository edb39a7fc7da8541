import type { ConversationDetails, Member, Message, Person, Role } from "@latchkey/client";
import { namesWith } from "./name-search.ts";

/** What can be done with members of a group. */
export type MemberAction = "write" | "owner" | "administrator" | "member" | "giveUp" | "remove";

const places: Readonly<Record<Role, number>> = { owner: 0, administrator: 1, member: 2 };

/** The members as a list shows them: owners and administrators first, then by name; those whose name or address has what was asked for. */
export function membersShown(members: readonly Member[], asked: string): readonly Member[] {
  const isCalled = namesWith(asked);
  return members
    .filter(({ person }) => isCalled(person.displayName, person.address))
    .toSorted((a, b) => places[a.role] - places[b.role] || a.person.displayName.localeCompare(b.person.displayName));
}

/** Whom somebody can tell of these messages: those who lead the group, but whoever wrote them. Empty of a conversation of two. */
export function administratorsToTell(
  { members, conversation }: Pick<ConversationDetails, "members" | "conversation">,
  messages: readonly Message[],
): readonly Person[] {
  if (conversation.kind !== "group") return [];
  const isAuthor = (person: Person): boolean => messages.some(({ author }) => author?.accountId === person.accountId);
  return members.filter(({ role, person }) => role !== "member" && !person.isSelf && !isAuthor(person)).map(({ person }) => person);
}

/** What this person can do with a member now, in the order in which a menu offers it. */
export function memberActions({ person, role }: Member, details: Pick<ConversationDetails, "may" | "successors">): readonly MemberAction[] {
  const { may, successors } = details;
  // Whoever owns it alone gives it to somebody first.
  if (person.isSelf) return role === "member" || successors.length > 0 ? [] : ["giveUp"];
  const given: readonly Role[] = ["owner", "administrator", "member"];
  return [
    "write",
    ...(may.own ? given.filter((one) => one !== role) : []),
    ...(may.remove && (role !== "owner" || may.own) ? (["remove"] as const) : []),
  ];
}
