import type { Person } from "./people.ts";

/** A link by which people ask to be let into a group (spec X-14). */
export interface JoinLink {
  readonly linkId: string;
  /** What is given to people; absent where this device has not got the link's keys (yet). */
  readonly url: string | undefined;
  readonly madeBy: Person;
  readonly expiresAtMs: number;
  readonly maxUses: number;
  /** How many were let in by it. */
  readonly uses: number;
}

/** How long a new link lasts, for how many, and whether it says where it leads. */
export interface JoinLinkOptions {
  /** 7 unless said otherwise, 30 at most. */
  readonly days?: number | undefined;
  /** 50 unless said otherwise, 1,000 at most. */
  readonly uses?: number | undefined;
  /** Whether the link says the group's name to whoever has it; true unless said otherwise. */
  readonly isNamed?: boolean | undefined;
}

/** Somebody who has a link, and waits to be let in. */
export interface WaitingPerson {
  readonly person: Person;
  readonly linkId: string;
  /** When this device first saw it. */
  readonly seenAtMs: number;
  /** How often they were refused at this link. */
  readonly refusals: number;
}

/** Where a link leads, by its own word. */
export interface JoinLinkPreview {
  readonly host: string;
  /** As it may be shown; "" where the link does not say it. */
  readonly name: string;
}

/** Where this person knocked, and nobody let them in yet. */
export interface OwnKnock extends JoinLinkPreview {
  readonly linkId: string;
  readonly sentAtMs: number;
  /** When it is forgotten. */
  readonly expiresAtMs: number;
}

/** What a client does with the join links of groups (spec X-14). */
export interface JoinLinkCalls {
  /** Makes a link to a group. @throws ClientError `not_permitted` without the right `invite`, `invalid_setting`, `clock_skew`, `offline` */
  createJoinLink(conversationId: string, options?: JoinLinkOptions): Promise<JoinLink>;
  /** Those that are open, oldest first. */
  joinLinks(conversationId: string): Promise<readonly JoinLink[]>;
  /** Takes a link back: nobody gets in by it any more. @throws ClientError `not_permitted`, `unknown_join_link` */
  revokeJoinLink(conversationId: string, linkId: string): Promise<void>;
  /** Who waits at the links of a group, as their inboxes have it now. @throws ClientError `not_permitted`, `clock_skew`, `offline` */
  waitingRoom(conversationId: string): Promise<readonly WaitingPerson[]>;
  /**
   * Lets somebody in who waits: by the same commit, with the same checks, as adding them by name.
   * @throws ClientError `unknown_request`, `join_link_used_up`, and as `addMembers`
   */
  admit(conversationId: string, accountId: string): Promise<void>;
  /** Does not: they are not told. After three times at a link their knocks there are passed over. @throws ClientError `unknown_request`, `not_permitted` */
  refuse(conversationId: string, accountId: string): Promise<void>;
  /** Reads a link; asks nobody. @throws ClientError `invalid_join_link` */
  readJoinLink(link: string): Promise<JoinLinkPreview>;
  /**
   * Asks to be let in where a link leads. Whoever leads the group sees the account's name; once they agree, the group is there.
   * @throws ClientError `invalid_join_link`, `join_link_gone`, `waiting_room_full`, `other_server`, `server_lied`, `directory_fork`,
   * `clock_skew`, `offline`
   */
  knock(link: string): Promise<OwnKnock>;
  /** Where this person knocked from this device, newest first. */
  knocks(): Promise<readonly OwnKnock[]>;
  /**
   * Waits there no more: whoever lets this person in by that knock all the same asks them first, like somebody who was never met. What was sent
   * stays with those who lead the group, until they look at it or the link ends. @throws ClientError `unknown_join_link`
   */
  withdrawKnock(linkId: string): Promise<void>;
}
