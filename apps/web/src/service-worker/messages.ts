/*
 * What a page and the app's service worker say to each other, beside what is said of files (`media-worker/messages.ts`). Both may be of different builds:
 * what the other one does not know is not answered.
 */

import type { QuietHours } from "@latchkey/client";
import type { HandedWords } from "../messages/text.ts";
import type { NoticeDepth } from "../notices/choices.ts";

/** Where the worker lies. */
export const workerPath = "/sw.js";
/** Where another app's share is sent (public/manifest.webmanifest), and the page on which the person chooses to whom it goes. */
export const sharePath = "/share";

/** To the worker. */
export type AppNotice =
  /** A page that speaks this language is open: all that it needs is to be there without a network, also what a browser threw away. */
  | { readonly kind: "app_keep"; readonly language: string }
  /** To the one that waits: the person wants its build now. */
  | { readonly kind: "app_begin" }
  /** The page takes what was shared, by the token in its address: the answer is a `SharedItems`, or `undefined`, on the port that comes with it. */
  | { readonly kind: "share_take"; readonly token: string }
  /** Something came, and the page has not the person's eye. */
  | { readonly kind: "notice_show"; readonly notice: Notice }
  /** These were read. */
  | { readonly kind: "notice_read"; readonly tags: readonly string[] }
  /** How it is said that something came while no page was open. */
  | { readonly kind: "notice_words"; readonly words: NoticeWords }
  /** Nobody is here any more. */
  | { readonly kind: "notice_forget" };

/** To a page. */
export type PageQuestion =
  /** A push came: what waits is to be read now. The answer is `true`, on the port that comes with it, once that is done. */
  | { readonly kind: "push_came" }
  /** The person pressed a notification that leads there. */
  | { readonly kind: "notice_open"; readonly path: string };

/** What a notification says, and where it leads. */
export interface Notice {
  /** What it takes the place of: its conversation; "" for all of them. */
  readonly tag: string;
  readonly title: string;
  readonly body: string;
  readonly path: string;
  readonly messageId: string;
  /** So many messages came there and were not looked at. */
  readonly count: number;
}

/** What the worker knows by itself. */
export interface NoticeWords {
  readonly title: string;
  readonly body: string;
  readonly quietHours: QuietHours;
  /** Absent where a page of an earlier build said it. */
  readonly telling?: Telling;
}

/** How the worker tells of what it finds by itself. */
export interface Telling {
  readonly depth: NoticeDepth;
  /** All that `notices/notice.ts` says. */
  readonly said: HandedWords;
}

/** What another app shared with this one. Anything may be in it: it is shown before anything is sent. */
export interface SharedItems {
  readonly text: string;
  readonly files: readonly File[];
}
