/** What a device keeps beside the draft that it shows in a conversation. */
export interface DraftNote {
  /** The draft that this device and the others last had in common: told by this one, or taken over from another. */
  readonly agreed: string;
  /** Whether that was written on this device. */
  readonly isOurs: boolean;
  /** What another device wrote, which is not what stands here; "" for nothing. */
  readonly other: string;
}

export const noDraft: DraftNote = { agreed: "", isOurs: false, other: "" };

/** Another device says what is written there. */
export function takeDraft(
  note: DraftNote,
  local: string,
  incoming: string,
): { readonly note: DraftNote; /** What stands here from now on. */ readonly local: string } {
  if (incoming === local) return { note: { agreed: local, isOurs: note.isOurs && local === note.agreed, other: "" }, local };
  const isWrittenHere = local !== "" && (note.isOurs || local !== note.agreed);
  // What was written here is never replaced: the other one is offered beside it.
  if (isWrittenHere) return { note: { ...note, other: incoming }, local };
  return { note: { agreed: incoming, isOurs: false, other: "" }, local: incoming };
}

/** What stands here is told to the other devices now. */
export function tellDraft(note: DraftNote, local: string): DraftNote {
  return { agreed: local, isOurs: local !== "", other: note.other === local ? "" : note.other };
}
