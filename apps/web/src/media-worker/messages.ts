import type { FileAccess } from "@latchkey/client";

/*
 * What a page and the worker that answers `/media/TOKEN` say to each other. Both may be of different builds for a while: what the other one does not
 * know is not answered, and the page shows files in another way then.
 */

/** Where files are shown from, followed by a token that a page made up: nothing in it says which file it is. */
export const mediaPath = "/media/";
/** Where a page has saved what it writes itself, such as an export, followed by such a token. */
export const writtenPath = "/media/written/";

/** To the page: it answers with an `Access` on the port that comes with it. */
export interface AccessQuestion {
  readonly kind: "media_access";
  readonly token: string;
}

/** The page's answer. Keys are in the worker's memory only. */
export type AccessAnswer =
  | {
      readonly kind: "access";
      readonly access: FileAccess;
      /** The database in which ciphertext of this profile is kept. Of what is not to be kept (`isKept` of the access) it is only read; absent where it is another message's. */
      readonly storeName?: string | undefined;
    }
  /** No file of this page, or nobody may see it. */
  | { readonly kind: "none" };

/** To the page: the one that writes it answers with a `WrittenAnswer` on the port that comes with it, and goes on there. */
export interface WrittenQuestion {
  readonly kind: "written_open";
  readonly token: string;
}

/** The page's answer. */
export type WrittenAnswer = { readonly kind: "written"; readonly name: string } | { readonly kind: "none" };

/** To the page that writes: the next piece, or no more of them. */
export type WrittenRequest = { readonly kind: "more" } | { readonly kind: "stop" };

/** A piece, asked for with `more`. */
export type WrittenPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" }
  /** What was written so far is no whole. */
  | { readonly kind: "failed" };

/** To the worker. */
export type MediaNotice =
  /** Has it answer this page, whatever way that was loaded. */
  | { readonly kind: "media_claim" }
  /** Something is being saved: it is to go on. */
  | { readonly kind: "media_stay" }
  /** Forgets one key, all of these files (whichever page asked for them), or all. A worker that does not know of files forgets all. */
  | { readonly kind: "media_forget"; readonly token?: string | undefined; readonly fileIds?: readonly string[] | undefined };

/** Header: as what a file may be shown, by its bytes. */
export const shownAsHeader = "latchkey-shown-as";
/** What that header says: "large" is a picture of more pixels, or bytes, than are decoded. */
export type ShownAs = "picture" | "video" | "audio" | "large" | "none";
