import type { Message, NewFile } from "@latchkey/client";
import type { PictureQuality } from "../media/prepare-picture.ts";
import type { VoiceRecording } from "../media/voice-recorder.ts";

/** Why a picture, a film or a sound goes as a file, which nothing is shown of. */
export type AsFile = "heic" | "blocked" | "large" | "undecodable";

/** What became of a file that was chosen. */
export type Made =
  | { readonly kind: "making" }
  | {
      readonly kind: "made";
      readonly file: Omit<NewFile, "description">;
      /** A small picture of it. */
      readonly preview: Blob | undefined;
      readonly asFile: AsFile | undefined;
      /** What the camera wrote into it, such as the place: gone, or still in it; `undefined` of what is none of a camera. */
      readonly metadata: "removed" | "kept" | undefined;
    }
  /** It was there when it was chosen, and can be read no more. */
  | { readonly kind: "gone" };

/** A file that was chosen for a message. */
export interface TrayItem {
  readonly key: number;
  readonly file: File;
  /** Without what file systems and screens stumble over. */
  readonly name: string;
  /** What it shows, in the person's words. */
  readonly description: string;
  /** It goes as it is, with all that stands in it. */
  readonly isUnchanged: boolean;
  readonly made: Made;
}

/** Something that was not taken, or is not there any more. */
export type TrayNote =
  | { readonly kind: "many"; readonly n: number }
  | { readonly kind: "empty" | "large" | "gone"; readonly names: readonly string[] }
  | { readonly kind: "folder" }
  /** The files of a message that was taken back are not at hand. */
  | { readonly kind: "lost" };

/** A message whose files are being encrypted. */
export interface Leaving {
  readonly key: number;
  readonly items: readonly TrayItem[];
  readonly isCancelled: boolean;
}

/** What goes with the next message of a conversation. Files are in the memory of this page alone: they are not there after it is loaded again. */
export interface Tray {
  readonly items: readonly TrayItem[];
  readonly quality: PictureQuality | undefined;
  readonly isOnce: boolean;
  readonly notes: readonly TrayNote[];
  readonly leaving: readonly Leaving[];
}

/** The part of the app's state that has to do with files that are to be sent. */
export interface TrayState {
  readonly trays: ReadonlyMap<string, Tray>;
  /** What went with messages that can still be taken back, by message. */
  readonly sentItems: ReadonlyMap<string, readonly TrayItem[]>;
  /** Recordings that are neither sent nor deleted, by conversation. */
  readonly voices: ReadonlyMap<string, VoiceRecording>;
}

/** A tray with nothing in it. */
export const emptyTray: Tray = { items: [], quality: undefined, isOnce: false, notes: [], leaving: [] };

/** The state with another tray for a conversation. */
export function withTray<S extends TrayState>(state: S, conversationId: string, change: (tray: Tray) => Tray): S {
  const next = change(state.trays.get(conversationId) ?? emptyTray);
  const isEmpty = next.items.length === 0 && next.notes.length === 0 && next.leaving.length === 0;
  const trays = new Map(state.trays);
  if (isEmpty) trays.delete(conversationId);
  else trays.set(conversationId, next);
  return { ...state, trays };
}

/** A message was taken back: its files are in the tray again, or have to be chosen again. */
export function withTakenBack<S extends TrayState>(state: S, { id, conversationId, files = [] }: Message): S {
  if (files.length === 0) return state;
  const items = state.sentItems.get(id);
  const sentItems = new Map(state.sentItems);
  sentItems.delete(id);
  return withTray({ ...state, sentItems }, conversationId, (tray) => ({
    ...tray,
    items: [...(items ?? []), ...tray.items],
    notes: items === undefined ? [{ kind: "lost" }] : [],
  }));
}
