import { encode } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { sealEnvelope } from "@latchkey/client/testing";
import type { DeviceIdentity } from "@latchkey/client/testing";
import { encodeRatchetTree, encryptApplicationMessage, exportSecret, joinGroup, nextGeneration, ownLeafIndex } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import {
  accessLabel,
  authenticatedDataCodec,
  createLeaveContent,
  createTextContent,
  envelopeLabel,
  leafMarkOf,
  viewLabel,
  viewTagOf,
  zeroHash,
} from "@latchkey/protocol";
import type { Insider } from "./insider.ts";

const { random, sha256 } = createNodePlatform();
const nothing = new Uint8Array(0);

/** A leaf under somebody's name whose keys an insider has, and what it says: sealed and signed as any member's. */
export class GhostLeaf {
  readonly #insider: Insider;
  /** The entry that put it in: its epoch. */
  readonly #began: { readonly seq: number; readonly head: Uint8Array };
  #group: GroupState;
  #said = 0;

  private constructor(insider: Insider, group: GroupState, began: { readonly seq: number; readonly head: Uint8Array }) {
    this.#insider = insider;
    this.#group = group;
    this.#began = began;
  }

  /** Adds one by a commit of the insider's, who may add. */
  static async add(insider: Insider, identity: DeviceIdentity): Promise<GhostLeaf> {
    const { keyPackage, privateKeys } = await insider.createKeyPackage(identity);
    const created = await insider.forge({ adds: [keyPackage] });
    const began = await insider.post(created);
    const [welcome] = created.welcomes;
    if (began.kind !== "accepted" || welcome === undefined) throw new Error("the leaf is in the log");
    const { suite } = insider.group;
    const joined = await joinGroup({ suite, welcome, keyPackage, privateKeys, ratchetTree: encodeRatchetTree(created.next) });
    return new GhostLeaf(insider, joined.state, began);
  }

  async text(text: string): Promise<void> {
    await this.#say(createTextContent({ text, salt: random(16), sentAtMs: Date.now() }));
  }

  async leave(): Promise<void> {
    const key = this.#group.tree.leafAt(ownLeafIndex(this.#group))?.encryptionKey;
    if (key === undefined) throw new Error("a leaf");
    await this.#say(createLeaveContent({ leaf: leafMarkOf(sha256, key), salt: random(16), sentAtMs: Date.now() }));
  }

  async #say(plaintext: Uint8Array): Promise<void> {
    const { logId } = this.#insider.state;
    const { seq } = this.#began;
    const secret = (label: string): Uint8Array => exportSecret(this.#group, label, logId, 32);
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 3,
      viewTag: viewTagOf(sha256, secret(viewLabel), this.#began),
      generation: nextGeneration(this.#group),
      ownNumber: ++this.#said,
      previousOwn: zeroHash,
      seen: zeroHash,
      accountVersion: 0,
      accountChain: zeroHash,
      gossip: nothing,
      ext: nothing,
    });
    const { state, message } = await encryptApplicationMessage(this.#group, { plaintext, authenticatedData, random });
    const beside = { directoryProofs: nothing, settings: nothing, complaint: nothing, leaves: nothing };
    const body = { seq, mlsMessage: message, ...beside };
    const { blob } = sealEnvelope({ key: secret(envelopeLabel), logId, epochId: seq, kind: "message", body, random, sha256 });
    const answer = await this.#insider.speakIn(seq, secret(accessLabel), blob);
    if (answer.kind !== "accepted") throw new Error(`the server answered ${answer.kind}`);
    this.#group = state;
  }
}
