import {
  CodecError,
  concatBytes,
  decode,
  encode,
  equalBytes,
  oneOf,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  uint16,
  uint32,
  utf8Bytes,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxHistoryChunks, maxHistoryManifestBytes } from "@latchkey/protocol";
import { accountStateCodec, signedCodec, signedContent, signStructure } from "@latchkey/transparency";
import type { OwnAccount } from "../account/own-account.ts";
import type { Platform } from "../platform/platform.ts";
import { openBytes, sealBytes } from "./format.ts";
import { chainOf, manifestKeyOf, openGenerationKey, sealedKeyBytes } from "./keys.ts";

/** What a device signs of a backup (spec B-3). */
export interface ManifestBody {
  readonly format: 1;
  readonly accountId: Uint8Array;
  readonly counter: number;
  /** 16 bytes. */
  readonly generation: Uint8Array;
  /** Chunks that it counts. */
  readonly chunks: number;
  /** The device that keeps it. */
  readonly deviceId: Uint8Array;
  /** The generation key, sealed for the phrase. */
  readonly sealedKey: Uint8Array;
  /** H of `sealed`. */
  readonly sealedHash: Uint8Array;
  readonly ext: Uint8Array;
}

/** What only who has the phrase reads of it. */
export interface ManifestContent {
  /** When it was written, by the clock of the device that wrote it; milliseconds since 1970. */
  readonly timeMs: number;
  /** Messages that are in the backup. */
  readonly messages: number;
  /** H of each chunk, in their order. */
  readonly hashes: readonly Uint8Array[];
}

interface Manifest {
  readonly signed: Uint8Array;
  readonly sealed: Uint8Array;
}

const bodyCodec: Codec<ManifestBody> = struct<ManifestBody>({
  format: oneOf(uint16, [1]),
  accountId: opaque(32),
  counter: safeUint64,
  generation: opaque(16),
  chunks: uint32,
  deviceId: opaque(16),
  sealedKey: opaque(sealedKeyBytes),
  sealedHash: opaque(32),
  ext: opaqueV(4096),
});
const contentCodec: Codec<ManifestContent> = struct<ManifestContent>({
  timeMs: safeUint64,
  messages: safeUint64,
  hashes: vector(opaque(32), { maxBytes: 32 * maxHistoryChunks }),
});
const manifestCodec: Codec<Manifest> = struct<Manifest>({ signed: opaqueV(8192), sealed: opaqueV(maxHistoryManifestBytes) });

type Written = Pick<ManifestBody, "counter" | "generation" | "sealedKey">;

/** Writes the manifest, signed by this device. @param params.chainKey the one behind the last chunk */
export async function writeManifest(params: {
  readonly own: Pick<OwnAccount, "accountId" | "deviceId" | "signatureKeyPair">;
  readonly platform: Pick<Platform, "random" | "sha256" | "signatures">;
  readonly chainKey: Uint8Array;
  readonly body: Written;
  readonly content: ManifestContent;
}): Promise<Uint8Array> {
  const { own, platform, chainKey, body, content } = params;
  const { accountId, deviceId } = own;
  const sealed = sealBytes(encode(contentCodec, content), manifestKeyOf(chainKey), contentAad({ accountId, ...body }), platform.random);
  const chunks = content.hashes.length;
  const signed = await signStructure({
    codec: bodyCodec,
    value: { ...body, format: 1, accountId, chunks, deviceId, sealedHash: platform.sha256(sealed), ext: new Uint8Array(0) },
    label: "HistoryBackup",
    secretKey: own.signatureKeyPair.secretKey,
    signatures: platform.signatures,
  });
  return encode(manifestCodec, { signed, sealed });
}

/** A manifest whose signature holds; what is sealed in it was not opened yet. */
export interface VerifiedManifest {
  readonly body: ManifestBody;
  readonly sealed: Uint8Array;
}

/**
 * The manifest, if a device of this account signed it, of whichever of its states: who recovered has none of them any more. `undefined`
 * for any other bytes.
 */
export async function verifyManifest(
  bytes: Uint8Array,
  { accountId, record }: Pick<OwnAccount, "accountId" | "record">,
  { signatures, sha256 }: Pick<Platform, "signatures" | "sha256">,
): Promise<VerifiedManifest | undefined> {
  try {
    const { signed, sealed } = decode(manifestCodec, bytes);
    const { body: signedBody, signature } = decode(signedCodec, signed);
    const body = decode(bodyCodec, signedBody);
    if (!equalBytes(body.accountId, accountId) || !equalBytes(body.sealedHash, sha256(sealed))) return undefined;
    const key = keyOf(record.states, body.deviceId);
    const isSigned = key !== undefined && (await signatures.verify(key, signedContent("HistoryBackup", signedBody), signature));
    return isSigned ? { body, sealed } : undefined;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** The key of a device that was in the account at any time. */
function keyOf(states: readonly Uint8Array[], deviceId: Uint8Array): Uint8Array | undefined {
  for (const signed of states.toReversed()) {
    const { devices } = decode(accountStateCodec, decode(signedCodec, signed).body);
    const found = devices.find((device) => equalBytes(device.deviceId, deviceId));
    if (found !== undefined) return found.signatureKey;
  }
  return undefined;
}

/** What is sealed in it, with the key of its generation; `undefined` where the backup key is another one. */
export async function openManifest(
  { body, sealed }: VerifiedManifest,
  backupKey: Uint8Array,
  platform: Pick<Platform, "crypto">,
): Promise<{ readonly generationKey: Uint8Array; readonly content: ManifestContent } | undefined> {
  const { accountId, generation, chunks } = body;
  // What is signed says how long the chain is that is gone along.
  if (chunks > maxHistoryChunks) return undefined;
  const generationKey = await openGenerationKey(platform, body.sealedKey, { accountId, generation, backupKey });
  const last = generationKey === undefined ? undefined : chainOf(generationKey, chunks).at(-1);
  const plain = last === undefined ? undefined : openBytes(sealed, manifestKeyOf(last), contentAad(body));
  if (generationKey === undefined || plain === undefined) return undefined;
  try {
    const content = decode(contentCodec, plain);
    return content.hashes.length === chunks ? { generationKey, content } : undefined;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function contentAad({ accountId, generation, counter }: Pick<ManifestBody, "accountId" | "generation" | "counter">): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/history-manifest/1"), accountId, generation, encode(safeUint64, counter));
}
