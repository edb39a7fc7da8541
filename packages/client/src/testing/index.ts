// What the client loads when it is needed is loaded here, so that in a simulation it takes no time.
import "@scure/bip39";
import "@scure/bip39/wordlists/english.js";
import "../account/recover.ts";
import "../devices/accept-link.ts";
import "../devices/archive.ts";
import "../devices/offer-link.ts";
import "../names/skeleton.ts";
import "../shared-history/moving.ts";

export { loadOwnAccount } from "../account/own-account.ts";
export { encodeProofs } from "../account/proofs.ts";
export { createMemoryStore } from "../store/memory-store.testing.ts";
export type { Store, StoreTransaction } from "../store/store.ts";
export { loadEvidence } from "../engine/evidence.ts";
export { loadConversation, loadGroup } from "../core/load-records.ts";
export { epochKeys } from "../core/keys.ts";
export { recordKeys } from "../core/records.ts";
export type { ConversationState } from "../core/types.ts";
export { breakConfirmation, copied, doctored } from "../core/doctored.testing.ts";
export { groupExtension } from "../core/roster.ts";
export { credentialOf } from "../group/credential.ts";
export type { DeviceIdentity } from "../group/credential.ts";
export { openEnvelope, seal, sealEnvelope } from "../group/envelope.ts";
export { sealUnbounded } from "../group/unbounded.testing.ts";
export { sealInboxItem } from "../group/inbox-seal.ts";
