import type { Person } from "./people.ts";

/** A message that was found. */
export interface FoundMessage {
  /** As `conversations` lists it: the one that goes on with it, where another one does. */
  readonly conversationId: string;
  readonly messageId: string;
  /** Its place, for `messages`. */
  readonly order: number;
  readonly author: Person | undefined;
  readonly sentAtMs: number;
  /** A piece of what it says, of about 200 characters around what was looked for. */
  readonly snippet: string;
  /** Of a voice message how long it is, in milliseconds, as its author says, 0 where they do not; the name of its file is in no snippet. */
  readonly voiceMs?: number | undefined;
  /** What of the snippet was looked for, in UTF-16 units. */
  readonly hits: readonly { readonly start: number; readonly end: number }[];
}

/** How a search is done. */
export interface SearchOptions {
  /** In this conversation alone. */
  readonly conversationId?: string | undefined;
  /** 1 to 200 messages in a page; 200 when absent. */
  readonly limit?: number | undefined;
  /** Goes on behind the page that had it; the query counts no more then. */
  readonly cursor?: string | undefined;
}

/** Some of the messages that were found. */
export interface SearchPage {
  /** Newest first. */
  readonly found: readonly FoundMessage[];
  /** Where to go on. There may be one also where fewer were found than the limit: a page looks through so much and no more. `undefined` once all was looked through. */
  readonly cursor: string | undefined;
  /** Conditions of the query that mean nothing here, as they were written; nothing is found by them. */
  readonly unknown: readonly string[];
  /** How many lines are in the index that messages are found by, and of how many: of a profile of an earlier version not all are at first. */
  readonly indexing: { readonly done: number; readonly of: number } | undefined;
}

/** What finds messages. */
export interface SearchCalls {
  /**
   * Messages that hold every word of a query, also inside words, in their text or in the names and descriptions of their files; newest first. Case, accents, and ways of writing the same letter or digit are put
   * aside. Quotes keep words together. `from:` is a name, a username or `me`; `in:` a conversation; `has:` is `link`, `poll`, `file` (of any kind),
   * `picture` or `voice`; `before:` and `after:` are days as 2026-11-29, `after:` with that day. What was deleted is not found, of what was edited its newest text, and nothing that is to be seen once.
   * @throws ClientError `unknown_conversation`, `invalid_cursor` for one that is not known any more
   */
  search(query: string, options?: SearchOptions): Promise<SearchPage>;
}
