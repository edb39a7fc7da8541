import { randomBytes, randomUUID } from "node:crypto";
import * as Signal from "@signalapp/libsignal-client";
import { timed } from "./measure.ts";
import type { Row } from "./measure.ts";

class Sessions extends Signal.SessionStore {
  readonly #records = new Map<string, Signal.SessionRecord>();
  async saveSession(name: Signal.ProtocolAddress, record: Signal.SessionRecord): Promise<void> {
    this.#records.set(name.toString(), record);
  }
  async getSession(name: Signal.ProtocolAddress): Promise<Signal.SessionRecord | null> {
    return this.#records.get(name.toString()) ?? null;
  }
  async getExistingSessions(addresses: Signal.ProtocolAddress[]): Promise<Signal.SessionRecord[]> {
    return addresses.flatMap((address) => this.#records.get(address.toString()) ?? []);
  }
}

class Identities extends Signal.IdentityKeyStore {
  readonly #key = Signal.PrivateKey.generate();
  readonly #known = new Map<string, Signal.PublicKey>();
  async getIdentityKey(): Promise<Signal.PrivateKey> {
    return this.#key;
  }
  async getLocalRegistrationId(): Promise<number> {
    return 7;
  }
  async saveIdentity(name: Signal.ProtocolAddress, key: Signal.PublicKey): Promise<Signal.IdentityChange> {
    this.#known.set(name.toString(), key);
    return Signal.IdentityChange.NewOrUnchanged;
  }
  async isTrustedIdentity(): Promise<boolean> {
    return true;
  }
  async getIdentity(name: Signal.ProtocolAddress): Promise<Signal.PublicKey | null> {
    return this.#known.get(name.toString()) ?? null;
  }
}

class PreKeys extends Signal.PreKeyStore {
  readonly #records = new Map<number, Signal.PreKeyRecord>();
  async savePreKey(id: number, record: Signal.PreKeyRecord): Promise<void> {
    this.#records.set(id, record);
  }
  async getPreKey(id: number): Promise<Signal.PreKeyRecord> {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error("no such prekey");
    return record;
  }
  async removePreKey(): Promise<void> {}
}

class SignedPreKeys extends Signal.SignedPreKeyStore {
  #record: Signal.SignedPreKeyRecord | undefined;
  async saveSignedPreKey(_id: number, record: Signal.SignedPreKeyRecord): Promise<void> {
    this.#record = record;
  }
  async getSignedPreKey(): Promise<Signal.SignedPreKeyRecord> {
    if (this.#record === undefined) throw new Error("no signed prekey");
    return this.#record;
  }
}

class KyberPreKeys extends Signal.KyberPreKeyStore {
  #record: Signal.KyberPreKeyRecord | undefined;
  async saveKyberPreKey(_id: number, record: Signal.KyberPreKeyRecord): Promise<void> {
    this.#record = record;
  }
  async getKyberPreKey(): Promise<Signal.KyberPreKeyRecord> {
    if (this.#record === undefined) throw new Error("no Kyber prekey");
    return this.#record;
  }
  async markKyberPreKeyUsed(): Promise<void> {}
}

class SenderKeys extends Signal.SenderKeyStore {
  readonly #records = new Map<string, Signal.SenderKeyRecord>();
  async saveSenderKey(sender: Signal.ProtocolAddress, id: Signal.Uuid, record: Signal.SenderKeyRecord): Promise<void> {
    this.#records.set(`${sender.toString()} ${id}`, record);
  }
  async getSenderKey(sender: Signal.ProtocolAddress, id: Signal.Uuid): Promise<Signal.SenderKeyRecord | null> {
    return this.#records.get(`${sender.toString()} ${id}`) ?? null;
  }
}

const bytes = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(size));

/** libsignal: its Double Ratchet between two, and sender keys in a group, as references for one message. In-memory stores. */
export async function benchLibsignal({
  sizes,
  batch,
  rounds,
}: {
  sizes: readonly number[];
  batch: number;
  rounds: number;
}): Promise<Row[]> {
  const [ann, ben] = [Signal.ProtocolAddress.new(randomUUID(), 1), Signal.ProtocolAddress.new(randomUUID(), 1)];
  const [annSessions, benSessions] = [new Sessions(), new Sessions()];
  const [annIdentities, benIdentities] = [new Identities(), new Identities()];
  const [preKeys, signedPreKeys, kyberPreKeys] = [new PreKeys(), new SignedPreKeys(), new KyberPreKeys()];
  const identity = await benIdentities.getIdentityKey();
  const [preKey, signedPreKey, kyber] = [Signal.PrivateKey.generate(), Signal.PrivateKey.generate(), Signal.KEMKeyPair.generate()];
  const signedSignature = identity.sign(signedPreKey.getPublicKey().serialize());
  const kyberSignature = identity.sign(kyber.getPublicKey().serialize());
  await preKeys.savePreKey(1, Signal.PreKeyRecord.new(1, preKey.getPublicKey(), preKey));
  await signedPreKeys.saveSignedPreKey(
    2,
    Signal.SignedPreKeyRecord.new(2, Date.now(), signedPreKey.getPublicKey(), signedPreKey, signedSignature),
  );
  await kyberPreKeys.saveKyberPreKey(3, Signal.KyberPreKeyRecord.new(3, Date.now(), kyber, kyberSignature));
  const bundle = Signal.PreKeyBundle.new(
    7,
    1,
    1,
    preKey.getPublicKey(),
    2,
    signedPreKey.getPublicKey(),
    signedSignature,
    identity.getPublicKey(),
    3,
    kyber.getPublicKey(),
    kyberSignature,
  );
  await Signal.processPreKeyBundle(bundle, ben, ann, annSessions, annIdentities);
  const first = await Signal.signalEncrypt(bytes(16), ben, ann, annSessions, annIdentities);
  await Signal.signalDecryptPreKey(
    Signal.PreKeySignalMessage.deserialize(first.serialize()),
    ann,
    ben,
    benSessions,
    benIdentities,
    preKeys,
    signedPreKeys,
    kyberPreKeys,
  );
  // An answer, so that what follows are plain messages of the ratchet.
  const answer = await Signal.signalEncrypt(bytes(16), ann, ben, benSessions, benIdentities);
  await Signal.signalDecrypt(Signal.SignalMessage.deserialize(answer.serialize()), ben, ann, annSessions, annIdentities);

  const distribution = randomUUID() as Signal.Uuid;
  const [sending, receiving] = [new SenderKeys(), new SenderKeys()];
  await Signal.processSenderKeyDistributionMessage(
    ann,
    await Signal.SenderKeyDistributionMessage.create(ann, distribution, sending),
    receiving,
  );

  const rows: Row[] = [];
  for (const size of sizes) {
    const plaintext = bytes(size);
    const samples = {
      ratchetEncrypt: [] as number[],
      ratchetDecrypt: [] as number[],
      senderEncrypt: [] as number[],
      senderDecrypt: [] as number[],
    };
    for (let round = 0; round < rounds; round++) {
      const ratchet: Uint8Array<ArrayBuffer>[] = [];
      samples.ratchetEncrypt.push(
        await timed(batch, async () =>
          ratchet.push((await Signal.signalEncrypt(plaintext, ben, ann, annSessions, annIdentities)).serialize()),
        ),
      );
      samples.ratchetDecrypt.push(
        await timed(batch, async (i) =>
          Signal.signalDecrypt(Signal.SignalMessage.deserialize(ratchet[i] ?? plaintext), ann, ben, benSessions, benIdentities),
        ),
      );
      const group: Uint8Array<ArrayBuffer>[] = [];
      samples.senderEncrypt.push(
        await timed(batch, async () => group.push((await Signal.groupEncrypt(ann, distribution, sending, plaintext)).serialize())),
      );
      samples.senderDecrypt.push(await timed(batch, (i) => Signal.groupDecrypt(ann, receiving, group[i] ?? plaintext)));
    }
    const row = (scenario: string, implementation: string, members: number, values: readonly number[]): Row => ({
      environment: "node",
      scenario,
      members,
      implementation,
      unit: "ms",
      samples: values,
    });
    rows.push(
      row(`encrypt ${size} B`, "libsignal Double Ratchet", 2, samples.ratchetEncrypt),
      row(`decrypt ${size} B`, "libsignal Double Ratchet", 2, samples.ratchetDecrypt),
      row(`encrypt ${size} B`, "libsignal sender keys", 256, samples.senderEncrypt),
      row(`decrypt ${size} B`, "libsignal sender keys", 256, samples.senderDecrypt),
    );
  }
  return rows;
}
