/*
 * What a page and the app's service worker say to each other, beside what is said of files (`media-worker/messages.ts`). Both may be of different builds:
 * what the other one does not know is not answered.
 */

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
  | { readonly kind: "share_take"; readonly token: string };

/** What another app shared with this one. Anything may be in it: it is shown before anything is sent. */
export interface SharedItems {
  readonly text: string;
  readonly files: readonly File[];
}
