import { noDraftMark } from "./facts.ts";

/** What a device keeps beside the draft that it shows in a conversation. */
export interface DraftNote {
  /** The draft that this device and the others last had in common: told by this one, or taken over from another. */
  readonly agreed: string;
  /** Whether that was written on this device. */
  readonly isOurs: boolean;
  /** What another device wrote, which is not what stands here; "" for nothing. */
  readonly other: string;
  /** A mark of the other device's draft that the person took last; told with every draft, so that it is known there what became of it. */
  readonly taken: Uint8Array;
}

export const noDraft: DraftNote = { agreed: "", isOurs: false, other: "", taken: noDraftMark };

/** Another device says what is written there; `isOverOurs`: by a person who took over what stands here. */
export function takeDraft(
  note: DraftNote,
  local: string,
  incoming: string,
  isOverOurs: boolean = false,
): { readonly note: DraftNote; /** What stands here from now on. */ readonly local: string } {
  // Both have it: what becomes of it there becomes of it here, unless it is written on.
  if (incoming === local) return { note: { ...note, agreed: local, isOurs: false, other: "" }, local };
  const isWrittenHere = !isOverOurs && local !== "" && (note.isOurs || local !== note.agreed);
  // What was written here is never replaced: the other one is offered beside it.
  if (isWrittenHere) return { note: { ...note, other: incoming }, local };
  return { note: { ...note, agreed: incoming, isOurs: false, other: "" }, local: incoming };
}

/** What stands here is told to the other devices now. */
export function tellDraft(note: DraftNote, local: string): DraftNote {
  return { ...note, agreed: local, isOurs: local !== "", other: note.other === local ? "" : note.other };
}
