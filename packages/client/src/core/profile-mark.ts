import { toBase64Url } from "@latchkey/codec";
import type { ConversationState } from "./types.ts";

/** How somebody is shown: their name, and what leads to their picture, empty for none. */
export interface ShownProfile {
  readonly displayName: string;
  readonly picture: Uint8Array;
}

/** By what it is seen that somebody may have come: how often others added somebody, and how many there are. */
type Members = Pick<ConversationState, "rosterAdds" | "memberCount">;

/**
 * What a device keeps of what it told a group of its person: another mark says that there is something to tell.
 * @param profile its picture may be the beginning of what leads to it: the id of the blob
 */
export function profileMark({ displayName, picture }: ShownProfile, { rosterAdds, memberCount }: Members): string {
  // Who joins later learns a name by every message, and a picture by the first one behind their joining.
  return picture.length === 0
    ? displayName
    : `${displayName}\n${toBase64Url(picture.subarray(0, 16))}\n${String(rosterAdds)}/${String(memberCount)}`;
}

/** The mark of what was told before, with another name: of the picture nothing new is told. */
export function markWithName(told: string, displayName: string): string {
  return [displayName, ...told.split("\n").slice(1)].join("\n");
}

/** Whether both say the same of the person, whoever joined between them. */
export function isSameProfile(a: string, b: string): boolean {
  const of = (mark: string): string => mark.split("\n").slice(0, 2).join("\n");
  return of(a) === of(b);
}
