import { equalBytes } from "@latchkey/codec";
import { conversationKinds, decodeContent, entryId as entryIdOf, parsePicture, splitEntry, zeroHash } from "@latchkey/protocol";
import type { EntryKind, GroupSettings, LatchkeyGroup, NamedBlob } from "@latchkey/protocol";
import { withoutName } from "../group/envelope.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { SealedEntry } from "./types.ts";

/** Of the commits of an epoch that the server refuses, so many are kept, the first. */
export const maxRefused = 4;

/** The blob of a picture, for the head of an entry that tells what leads to it (spec X-21): the host keeps it as long as that. */
export function pictureNames(picture: Uint8Array | undefined): readonly NamedBlob[] {
  const reference = picture === undefined ? undefined : parsePicture(picture);
  return reference === undefined ? [] : [reference];
}

/** As `pictureNames`, of a group whose settings are these: who joins by a commit learns the picture with it, and every commit names it. */
export function groupPictureNames(
  { conversationKind }: Pick<LatchkeyGroup, "conversationKind">,
  { picture }: GroupSettings,
): readonly NamedBlob[] {
  return conversationKind === conversationKinds.group ? pictureNames(picture) : [];
}

/**
 * The host does not have what an entry names: where that is a picture, the entry goes without its name, and the picture is perhaps not there.
 * Nothing that is said or done waits for one (spec X-21, E-106). Whether it names a picture.
 */
export function unnamePicture(turn: Turn, entryId: Uint8Array | undefined): boolean {
  const { outgoing, staged, opening, roster } = turn.state;
  const isIt = (entry: SealedEntry | undefined): entry is SealedEntry =>
    entry !== undefined && entryId !== undefined && equalBytes(entry.entryId, entryId);
  if (staged !== undefined && roster !== undefined && isIt(staged.entry)) {
    const names = groupPictureNames(roster.settings, (staged.opening ?? opening).settings);
    const entry = without(turn, { entry: staged.entry, kind: "commit", nextAccessHash: staged.nextAccessHash, names });
    if (entry === undefined) return false;
    // The server may have it all the same (spec E-78).
    set(turn, { staged: { ...staged, entry, sentIn: 0 }, refused: [...turn.state.refused, staged].slice(0, maxRefused) });
    return true;
  }
  const message = outgoing.find(({ sealed }) => isIt(sealed));
  if (message?.sealed === undefined) return false;
  const content = decodeContent(message.content);
  const names = content.kind === "malformed" ? [] : pictureNames(content.picture);
  const sealed = without(turn, { entry: message.sealed, kind: "message", nextAccessHash: zeroHash, names });
  if (sealed === undefined) return false;
  set(turn, { outgoing: outgoing.map((item) => (item === message ? { ...item, sealed, sentIn: 0 } : item)) });
  return true;
}

/** The entry, sealed anew without these names; `undefined` where it has none of them, or its epoch is over. */
function without<E extends SealedEntry>(
  { state, context }: Turn,
  params: { readonly entry: E; readonly kind: EntryKind; readonly nextAccessHash: Uint8Array; readonly names: readonly NamedBlob[] },
): E | undefined {
  const { entry, kind, nextAccessHash, names } = params;
  const { epoch, logId } = state;
  const isNamed = ({ blobId }: NamedBlob): boolean => names.some((name) => equalBytes(name.blobId, blobId));
  if (epoch?.epochId !== entry.epochId || splitEntry(entry.blob)?.blobs.some(isNamed) !== true) return undefined;
  const { random, sha256 } = context;
  const { epochId } = epoch;
  const blob = withoutName({ key: epoch.envelope, logId, epochId, kind, blob: entry.blob, random, isNamed });
  return blob === undefined ? undefined : { ...entry, blob, entryId: entryIdOf(sha256, { epochId, kind, nextAccessHash, blob }) };
}
