// The page of browser.e2e.ts: what it does is started from the test.
import { equalBytes, fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import {
  createCommit,
  createGroup,
  createKeyPackage,
  decodeKeyPackage,
  encodeRatchetTree,
  encryptApplicationMessage,
  epochAuthenticator,
  joinGroup,
  members,
  processMessage,
} from "@latchkey/mls";
import type { CipherSuite, CipherSuiteId, GroupState } from "@latchkey/mls";
import { webCrypto } from "@latchkey/mls/web";
import { storeRules } from "virtual:client/store/conformance.testing.ts";
import { deleteIndexedDbStore, openIndexedDbStore } from "virtual:client/store/indexeddb-store.ts";

/** A case of the official vectors of that name. */
export interface WelcomeVector {
  readonly cipher_suite: number;
  readonly external_psks: readonly unknown[];
  readonly key_package: string;
  readonly signature_priv: string;
  readonly encryption_priv: string;
  readonly init_priv: string;
  readonly welcome: string;
  readonly ratchet_tree: string | null;
  readonly initial_epoch_authenticator: string;
}

/** What the page can do. */
export interface BrowserChecks {
  runStoreRules(): Promise<{ title: string; failure: string | undefined }[]>;
  joinFromVectors(vectors: readonly WelcomeVector[]): Promise<string[]>;
  liveInGroup(suite: CipherSuiteId): Promise<string>;
}

const random = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));

const checks: BrowserChecks = {
  async runStoreRules() {
    const outcomes = [];
    for (const [index, { title, run }] of storeRules.entries()) {
      const name = `rule-${String(index)}`;
      let failure: string | undefined;
      try {
        await run({ open: () => openIndexedDbStore({ name }), dispose: () => deleteIndexedDbStore(name) });
      } catch (error) {
        failure = String(error);
      }
      outcomes.push({ title, failure });
    }
    return outcomes;
  },

  async joinFromVectors(vectors) {
    const results = [];
    for (const vector of vectors) {
      const suite = suiteOf(vector.cipher_suite);
      const { state } = await joinGroup({
        suite,
        welcome: fromHex(vector.welcome),
        keyPackage: decodeKeyPackage(fromHex(vector.key_package)),
        privateKeys: {
          initSecretKey: fromHex(vector.init_priv),
          leafSecretKey: fromHex(vector.encryption_priv),
          signatureSecretKey: fromHex(vector.signature_priv),
        },
        ...(vector.ratchet_tree === null ? {} : { ratchetTree: fromHex(vector.ratchet_tree) }),
      });
      results.push(toHex(epochAuthenticator(state)));
    }
    return results;
  },

  async liveInGroup(id) {
    const suite = suiteOf(id);
    const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
    const common = { authenticatedData: utf8Bytes("data"), random, nowSeconds };
    const [ann, ben, cyd] = [
      await newMember(suite, "ann", nowSeconds),
      await newMember(suite, "ben", nowSeconds),
      await newMember(suite, "cyd", nowSeconds),
    ];
    const founded = await createGroup({
      suite,
      groupId: random(32),
      credential: ann.credential,
      signatureKeyPair: ann.signatureKeyPair,
      lifetime: ann.lifetime,
      random,
    });
    const adding = await createCommit(founded, { ...common, adds: [ben.created.keyPackage, cyd.created.keyPackage] });
    const ratchetTree = encodeRatchetTree(adding.next);
    const join = async (index: number, member: typeof ben): Promise<GroupState> => {
      const welcome = adding.welcomes[index] ?? new Uint8Array();
      return (
        await joinGroup({
          suite,
          welcome,
          keyPackage: member.created.keyPackage,
          privateKeys: member.created.privateKeys,
          ratchetTree,
          nowSeconds,
        })
      ).state;
    };
    const [benState, cydState] = [await join(0, ben), await join(1, cyd)];
    await expectReadable(adding.next, [benState, cydState]);

    const victim = members(adding.next).find(
      ({ credential }) => credential.kind === "basic" && equalBytes(credential.identity, utf8Bytes("cyd")),
    );
    if (victim === undefined) return "cyd is not a member";
    const removing = await createCommit(adding.next, { ...common, removes: [victim.leafIndex] });
    const atBen = await processMessage(benState, removing.message, { nowSeconds });
    const atCyd = await processMessage(cydState, removing.message, { nowSeconds });
    if (atBen.kind !== "commit" || atCyd.kind !== "removed") return `the removal was ${atBen.kind} and ${atCyd.kind}`;
    const later = await encryptApplicationMessage(removing.next, { ...common, plaintext: utf8Bytes("later") });
    const read = await processMessage(atBen.state, later.message, {});
    if (read.kind !== "application" || !equalBytes(read.plaintext, utf8Bytes("later"))) return "the member that stayed reads nothing";
    try {
      await processMessage(cydState, later.message, {});
    } catch {
      return "done";
    }
    return "the removed member still reads";
  },
};

function suiteOf(id: number): CipherSuite {
  const offered = webCrypto.suites.find((candidate) => candidate === id);
  if (offered === undefined) throw new Error(`suite ${String(id)} is not offered`);
  return webCrypto.suite(offered);
}

async function newMember(suite: CipherSuite, name: string, nowSeconds: bigint) {
  const credential = { kind: "basic", identity: utf8Bytes(name) } as const;
  const signatureKeyPair = await suite.generateSignatureKeyPair(random);
  const lifetime = { notBefore: nowSeconds - 60n, notAfter: nowSeconds + 86_400n };
  return {
    credential,
    signatureKeyPair,
    lifetime,
    created: await createKeyPackage({ suite, credential, signatureKeyPair, lifetime, random }),
  };
}

/** A message of `sender` is read by all `receivers`. */
async function expectReadable(sender: GroupState, receivers: readonly GroupState[]): Promise<void> {
  const sent = await encryptApplicationMessage(sender, { plaintext: utf8Bytes("now"), authenticatedData: new Uint8Array(), random });
  for (const receiver of receivers) {
    const read = await processMessage(receiver, sent.message, {});
    if (read.kind !== "application" || !equalBytes(read.plaintext, utf8Bytes("now"))) throw new Error("a member reads nothing");
  }
}

Object.assign(globalThis, { checks });
