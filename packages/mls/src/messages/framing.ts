import { CodecError, encode, enumeration, opaque, struct, uint16, uint32, uint64, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { LeafIndex } from "../tree/tree-math.ts";
import { bulk, identifier, leafIndex, mac, signature } from "./basics.ts";
import { commit, proposal } from "./proposals.ts";
import type { Commit, Proposal } from "./proposals.ts";

/** Wire formats (RFC 9420 section 17.2). */
export const wireFormats: {
  readonly "public-message": 1;
  readonly "private-message": 2;
  readonly welcome: 3;
  readonly "group-info": 4;
  readonly "key-package": 5;
} = { "public-message": 1, "private-message": 2, welcome: 3, "group-info": 4, "key-package": 5 };

/** The wire formats that carry framed content. */
export type FramedWireFormat = "public-message" | "private-message";

/** What a message holds (RFC 9420 section 6). */
export type ContentType = "application" | "proposal" | "commit";

/** `ContentType`. */
export const contentType: Codec<ContentType> = enumeration(uint8, { application: 1, proposal: 2, commit: 3 });

/** Who sent a message (RFC 9420 section 6). */
export type Sender =
  | { readonly kind: "member"; readonly leafIndex: LeafIndex }
  | { readonly kind: "external"; readonly senderIndex: number }
  | { readonly kind: "new-member-proposal" }
  | { readonly kind: "new-member-commit" };

const nothing = struct<Record<never, never>>({});

/** `Sender`. */
export const sender: Codec<Sender> = variant<Sender>(uint8, {
  member: [1, struct<{ leafIndex: LeafIndex }>({ leafIndex })],
  external: [2, struct<{ senderIndex: number }>({ senderIndex: uint32 })],
  "new-member-proposal": [3, nothing],
  "new-member-commit": [4, nothing],
});

/** The content of a message, by its type. */
export type ContentBody =
  | { readonly kind: "application"; readonly data: Uint8Array }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "commit"; readonly commit: Commit };

const contentBody = variant<ContentBody>(uint8, {
  application: [1, struct<{ data: Uint8Array }>({ data: bulk })],
  proposal: [2, struct<{ proposal: Proposal }>({ proposal })],
  commit: [3, struct<{ commit: Commit }>({ commit })],
});

/** `FramedContent` (RFC 9420 section 6). */
export interface FramedContent {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly sender: Sender;
  readonly authenticatedData: Uint8Array;
  readonly body: ContentBody;
}

/** `FramedContent`. */
export const framedContent: Codec<FramedContent> = struct<FramedContent>({
  groupId: identifier,
  epoch: uint64,
  sender,
  authenticatedData: bulk,
  body: contentBody,
});

/** `FramedContentAuthData` (RFC 9420 section 6.1): the tag is there exactly for commits. */
export interface FramedContentAuthData {
  readonly signature: Uint8Array;
  readonly confirmationTag: Uint8Array | undefined;
}

/** `FramedContentAuthData` of a content of that type. */
export function framedContentAuthData(type: ContentType): Codec<FramedContentAuthData> {
  return {
    write(w, value) {
      signature.write(w, value.signature);
      // A commit without its tag is a caller's mistake; an empty one would never verify.
      if (type === "commit") mac.write(w, value.confirmationTag ?? new Uint8Array(0));
    },
    read: (r) => ({ signature: signature.read(r), confirmationTag: type === "commit" ? mac.read(r) : undefined }),
  };
}

/** `AuthenticatedContent` (RFC 9420 section 6): what proposal references hash. */
export interface AuthenticatedContent {
  readonly wireFormat: FramedWireFormat;
  readonly content: FramedContent;
  readonly auth: FramedContentAuthData;
}

const framedWireFormat: Codec<FramedWireFormat> = enumeration(uint16, {
  "public-message": wireFormats["public-message"],
  "private-message": wireFormats["private-message"],
});

/** `AuthenticatedContent`. */
export const authenticatedContent: Codec<AuthenticatedContent> = {
  write(w, value) {
    framedWireFormat.write(w, value.wireFormat);
    framedContent.write(w, value.content);
    framedContentAuthData(value.content.body.kind).write(w, value.auth);
  },
  read(r) {
    const wireFormat = framedWireFormat.read(r);
    const content = framedContent.read(r);
    return { wireFormat, content, auth: framedContentAuthData(content.body.kind).read(r) };
  },
};

/** `ConfirmedTranscriptHashInput` of a commit (RFC 9420 section 8.2). */
export function encodeConfirmedTranscriptHashInput(wireFormat: FramedWireFormat, content: FramedContent, signed: Uint8Array): Uint8Array {
  const input: Codec<FramedContent> = {
    write(w, value) {
      framedWireFormat.write(w, wireFormat);
      framedContent.write(w, value);
      signature.write(w, signed);
    },
    read: (r) => framedContent.read(r),
  };
  return encode(input, content);
}

/** `PublicMessage` (RFC 9420 section 6.2): the membership tag is there exactly for senders that are members. */
export interface PublicMessage {
  readonly content: FramedContent;
  readonly auth: FramedContentAuthData;
  readonly membershipTag: Uint8Array | undefined;
}

/** `PublicMessage`. */
export const publicMessage: Codec<PublicMessage> = {
  write(w, value) {
    framedContent.write(w, value.content);
    framedContentAuthData(value.content.body.kind).write(w, value.auth);
    if (value.content.sender.kind === "member") mac.write(w, value.membershipTag ?? new Uint8Array(0));
  },
  read(r) {
    const content = framedContent.read(r);
    const auth = framedContentAuthData(content.body.kind).read(r);
    return { content, auth, membershipTag: content.sender.kind === "member" ? mac.read(r) : undefined };
  },
};

/** `PrivateMessage` (RFC 9420 section 6.3). */
export interface PrivateMessage {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: ContentType;
  readonly authenticatedData: Uint8Array;
  readonly encryptedSenderData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** `PrivateMessage`. */
export const privateMessage: Codec<PrivateMessage> = struct<PrivateMessage>({
  groupId: identifier,
  epoch: uint64,
  contentType,
  authenticatedData: bulk,
  encryptedSenderData: bulk,
  ciphertext: bulk,
});

/** The plaintext of a private message (RFC 9420 section 6.3.1). */
export interface PrivateMessageContent {
  readonly body: ContentBody;
  readonly auth: FramedContentAuthData;
  /** Zeros up to the plaintext's end. */
  readonly paddingBytes: number;
}

/** `PrivateMessageContent` of a content of that type; reads to the input's end and refuses padding that is not zero. */
export function privateMessageContent(type: ContentType): Codec<PrivateMessageContent> {
  const auth = framedContentAuthData(type);
  return {
    write(w, value) {
      if (value.body.kind === "application") bulk.write(w, value.body.data);
      else if (value.body.kind === "proposal") proposal.write(w, value.body.proposal);
      else commit.write(w, value.body.commit);
      auth.write(w, value.auth);
      w.bytes(new Uint8Array(value.paddingBytes));
    },
    read(r) {
      const body: ContentBody =
        type === "application"
          ? { kind: "application", data: bulk.read(r) }
          : type === "proposal"
            ? { kind: "proposal", proposal: proposal.read(r) }
            : { kind: "commit", commit: commit.read(r) };
      const authData = auth.read(r);
      const padding = r.rest();
      if (padding.some((byte) => byte !== 0)) throw new CodecError("invalid", "padding that is not zero");
      return { body, auth: authData, paddingBytes: padding.length };
    },
  };
}

/** `PrivateContentAAD` (RFC 9420 section 6.3.1). */
export interface PrivateContentAad {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: ContentType;
  readonly authenticatedData: Uint8Array;
}

/** `PrivateContentAAD`. */
export const privateContentAad: Codec<PrivateContentAad> = struct<PrivateContentAad>({
  groupId: identifier,
  epoch: uint64,
  contentType,
  authenticatedData: bulk,
});

/** `SenderData` (RFC 9420 section 6.3.2). */
export interface SenderData {
  readonly leafIndex: LeafIndex;
  readonly generation: number;
  readonly reuseGuard: Uint8Array;
}

/** `SenderData`. */
export const senderData: Codec<SenderData> = struct<SenderData>({ leafIndex, generation: uint32, reuseGuard: opaque(4) });

/** `SenderDataAAD` (RFC 9420 section 6.3.2). */
export interface SenderDataAad {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: ContentType;
}

/** `SenderDataAAD`. */
export const senderDataAad: Codec<SenderDataAad> = struct<SenderDataAad>({ groupId: identifier, epoch: uint64, contentType });
