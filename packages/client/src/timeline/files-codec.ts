import { bool, enumeration, opaque, opaqueV, optional, safeUint64, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { filePrefixBytes } from "@latchkey/protocol";
import type { FileKind, FilePart } from "@latchkey/protocol";
import type { TextBody } from "./line.ts";

const id32 = opaque(32);

/** How a file is shown, as it is stored. */
export const fileKindCodec: Codec<FileKind> = enumeration<FileKind>(uint8, { file: 0, picture: 1, video: 2, audio: 3, voice: 4 });

/** A file, with what it takes to read it, as it is stored. */
export const filePartCodec: Codec<FilePart> = struct<FilePart>({
  kind: fileKindCodec,
  host: text(260),
  blobId: id32,
  key: id32,
  prefix: opaque(filePrefixBytes),
  hash: id32,
  sizeBytes: safeUint64,
  name: text(1024),
  mediaType: text(127),
  description: text(8192),
  width: optional(uint32),
  height: optional(uint32),
  durationMs: optional(uint32),
  thumbhash: optional(opaqueV(32)),
  peaks: optional(opaqueV(64)),
});

/** A text with files as it is stored. */
interface FilesText {
  readonly text: string;
  readonly files: readonly FilePart[];
  readonly isOnce: boolean;
}

/** Bodies as they are stored: a text with files has a number of its own, so that one without is what it was before there were files. */
export type Stored<Body extends { readonly kind: string }> =
  | Exclude<Body, { readonly kind: "text" }>
  | { readonly kind: "text"; readonly text: string }
  | ({ readonly kind: "files" } & FilesText);

export const filesText: Codec<FilesText> = struct<FilesText>({
  text: text(1 << 20),
  files: vector(filePartCodec, { maxBytes: 1 << 20 }),
  isOnce: bool,
});

/** What is stored of a body. */
export function toStored<Body extends { readonly kind: string }>(body: Body | TextBody): Stored<Body> {
  if (!isText(body)) return body as Exclude<Body, { readonly kind: "text" }>;
  const { text: words, files, isOnce } = body;
  return files === undefined ? { kind: "text", text: words } : { kind: "files", text: words, files, isOnce: isOnce === true };
}

/** The body of which that is stored. */
export function fromStored<Body extends { readonly kind: string }>(stored: Stored<Body>): Body | TextBody {
  if (stored.kind !== "files") return stored as Body | TextBody;
  const { text: words, files, isOnce } = stored as FilesText;
  return { kind: "text", text: words, files, ...(isOnce ? { isOnce } : {}) };
}

function isText(body: { readonly kind: string }): body is TextBody {
  return body.kind === "text";
}
