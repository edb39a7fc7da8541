import { toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import type { Outgoing } from "../core/types.ts";
import type { Line } from "../timeline/line.ts";

/** The files of a message that waits to be sent. */
export function filesOfOutgoing({ purpose, content }: Pick<Outgoing, "purpose" | "content">): readonly FilePart[] {
  if (purpose !== "text") return [];
  const decoded = decodeContent(content);
  return decoded.kind === "text" ? (decoded.files ?? []) : [];
}

/** The files of a line. */
export function filesOfLine({ body }: Pick<Line, "body">): readonly FilePart[] {
  return body.kind === "text" ? (body.files ?? []) : [];
}

/** The one of this id among files. */
export function fileAmong(files: readonly FilePart[], fileId: string): FilePart | undefined {
  return files.find(({ blobId }) => toBase64Url(blobId) === fileId);
}
