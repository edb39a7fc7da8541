/** What a filter of metadata makes of a file. */
export type Cleaned =
  | {
      readonly kind: "clean";
      /** The file without what is about it; owned by the caller. */
      readonly bytes: Uint8Array<ArrayBuffer>;
      /** It has several pictures that are shown one after another. */
      readonly isAnimated: boolean;
      /** It was to be shown turned, and what said so is gone: a still is to be encoded anew. */
      readonly isTurned: boolean;
    }
  /** The bytes are no such file, or one that is cut off or lies about its lengths. */
  | { readonly kind: "not_what_it_says" };

/** The bytes are no file of the kind that the filter knows. */
export const notWhatItSays: Cleaned = { kind: "not_what_it_says" };
