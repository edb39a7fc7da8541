import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { encodePicture, maxPictureBlobBytes, parsePicture, splitEntry } from "@latchkey/protocol";
import type { BlobReference, NamedBlob } from "@latchkey/protocol";
import type { Picture } from "../api/people.ts";
import { hasEnded } from "../core/phase.ts";
import type { ConversationState } from "../core/types.ts";
import { pictureKey } from "../engine/own-profile.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { decryptBlob, encryptBlob, encryptBlobUnder, getCiphertext, putBlob } from "../group/blobs.ts";
import type { BlobHost, EncryptedBlob } from "../group/blobs.ts";
import { profileOf } from "../own/view.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { PicturesAccess } from "./access.ts";
import { keepPicture, keptPicture, notePictureShown } from "./kept-pictures.ts";
import type { OwnSecrets } from "./own-picture.ts";
import { pauseLeftMs } from "./pause.ts";
import type { Pause } from "./pause.ts";
import { PictureFetches, referenceId } from "./picture-fetches.ts";
import type { FetchOutcome } from "./picture-fetches.ts";
import { pictureLook, tellablePicture } from "./picture-file.ts";
import { PicturePace } from "./picture-pace.ts";

/** For so long the host is believed to have what it took: what no entry names stays there for two days. */
const believedMs = 3_600_000;
const maxBelieved = 10_000;
/** Pictures that are asked for and not here; of more nobody is told once they come. */
const maxAsked = 2000;
/** Before one's own picture is offered to a host again that did not take it. */
const againMs = 15_000;
const againLaterMs = 3_600_000;
const nothing = new Uint8Array(0);

/** What is done about pictures (spec X-21): what is told of one's own, what is fetched of others, and what is kept of both. */
export class PictureWork {
  readonly #world: World;
  readonly #access: PicturesAccess;
  readonly #fetches: PictureFetches;
  readonly #secrets: OwnSecrets;
  /** When a host took a blob, or had it, by its id. */
  readonly #there = new Map<string, number>();
  /** What is told of one's own picture, by conversation: it is at the host. */
  readonly #told = new Map<string, EncryptedBlob["reference"]>();
  /** Conversations in which it is to be told. */
  readonly #untold = new Map<string, Uint8Array>();
  /** Those of them for which the host was not reached. */
  readonly #later = new Map<string, Uint8Array>();
  #cancelLater: () => void = () => undefined;
  /** For how long it is not offered, by conversation. */
  readonly #pauses = new Map<string, Pause>();
  readonly #telling = createSingleFlight(() => this.#tellAll());
  /** Whose picture was asked for and is not here, by what leads to it. */
  readonly #asked = new Map<string, Set<string>>();
  readonly #pace = new PicturePace();
  /** Whose picture is fetched later. */
  readonly #paced = new Set<string>();
  #isClosed = false;

  constructor(world: World, access: PicturesAccess, secrets: OwnSecrets) {
    this.#world = world;
    this.#access = access;
    this.#secrets = secrets;
    this.#fetches = new PictureFetches(world.platform, (reference) => this.#fetch(reference));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLater();
    this.#fetches.close();
  }

  /** The picture of a person, or of a group by its conversation; `undefined` for none, or none yet: then it is fetched, and an event tells. */
  async picture(id: string): Promise<Picture | undefined> {
    const reference = await this.#referenceOf(id);
    if (reference === undefined) return undefined;
    const kept = await this.#shown(reference);
    if (kept !== undefined || this.#isClosed) return kept;
    const asked = referenceId(reference);
    const waitMs = this.#pace.waitMs({ id, picture: asked, nowMs: this.#world.platform.nowMs() });
    if (waitMs > 0) {
      this.#askLater(id, waitMs);
      return undefined;
    }
    if (this.#asked.size >= maxAsked) this.#asked.clear();
    this.#asked.set(asked, (this.#asked.get(asked) ?? new Set<string>()).add(id));
    this.#fetches.ask(reference);
    return undefined;
  }

  /** They change it too often: whoever shows it is told once the one of then may be fetched. */
  #askLater(id: string, waitMs: number): void {
    if (this.#paced.has(id)) return;
    this.#paced.add(id);
    this.#world.platform.setTimer(waitMs, () => {
      this.#paced.delete(id);
      if (!this.#isClosed) this.#world.emit({ kind: "picture", id });
    });
  }

  /** The person's own from now on, on all of their devices; what leads to it. @throws ClientError `invalid_setting` */
  async make(bytes: Uint8Array): Promise<Uint8Array> {
    const plaintext = tellablePicture(bytes);
    if (plaintext === undefined)
      throw new ClientError("invalid_setting", "A picture is a square JPEG or WebP of at most 512 pixels and 65,512 bytes.");
    const { platform, store } = this.#world;
    const { reference, ciphertext } = encryptBlob({ ...platform, plaintext });
    const { blobId, hash } = reference;
    const nowMs = platform.nowMs();
    await store.transact("write", (tx) => keepPicture(tx, { hash, ciphertext, nowMs, always: this.#always() }));
    try {
      await this.#put(blobId, ciphertext);
    } catch (error) {
      // It goes there with the entry that tells it.
      if (!(error instanceof ClientError) || error.code !== "offline") throw error;
    }
    return encodePicture(reference);
  }

  /** What leads to it there, once the host has it; till then `undefined`, and the conversation is told once it has. */
  told({ id, logId }: Pick<ConversationState, "id" | "logId">): Uint8Array | undefined {
    const secret = this.#own() === undefined ? undefined : this.#secrets.of(logId);
    if (secret === undefined) return undefined;
    const reference = this.#told.get(id);
    const isIt = reference !== undefined && toBase64Url(reference.blobId) === toBase64Url(secret.blobId);
    if (isIt && this.#isThere(secret.blobId)) return encodePicture(reference);
    const pause = this.#pauses.get(id);
    if (!this.#isClosed && (pause === undefined || pauseLeftMs(pause, this.#world.platform.nowMs()) === 0)) {
      this.#untold.set(id, logId);
      this.#telling.wake().catch(() => undefined);
    }
    return undefined;
  }

  /** The person has another picture. */
  changed(): void {
    this.#pauses.clear();
    this.#world.emit({ kind: "picture", id: toBase64Url(this.#world.own.accountId) });
    this.offerOwn();
  }

  /** Has the host keep the person's own picture for their other devices, where there are any. */
  offerOwn(): void {
    const own = this.#own();
    if (own === undefined || this.#world.own.account.state.devices.length < 2) return;
    void this.#keptCiphertext(own)
      .then((ciphertext) => (ciphertext === undefined ? undefined : this.#put(own.blobId, ciphertext)))
      .catch(() => undefined);
  }

  /**
   * Brings to the host what an entry names and this device keeps, as far as it is a picture and not there.
   * @param isLost the host said that it does not have all of them
   * @returns whether anything was brought. Never throws: without a picture the entry goes all the same
   */
  async bring({ logId }: Pick<ConversationState, "logId">, entry: Uint8Array, isLost: boolean): Promise<boolean> {
    let isBrought = false;
    for (const named of splitEntry(entry)?.blobs ?? []) {
      const { blobId, sizeBytes } = named;
      if (sizeBytes > maxPictureBlobBytes) continue;
      if (isLost) this.#there.delete(toBase64Url(blobId));
      if (this.#isThere(blobId)) continue;
      try {
        const ciphertext = await this.#ciphertext(logId, named);
        if (ciphertext === undefined) continue;
        await this.#put(blobId, ciphertext);
        isBrought = true;
      } catch {
        // The host says what it lacks, and the entry goes without it.
      }
    }
    return isBrought;
  }

  /** What leads to the person's own picture, as their devices know it. */
  #own(): BlobReference | undefined {
    return this.#secrets.follow(profileOf(this.#world.ownThings)?.picture ?? nothing);
  }

  #always(): readonly string[] {
    const own = this.#own();
    return own === undefined ? [] : [toBase64Url(own.hash)];
  }

  #host(): BlobHost {
    const { platform, connections, own } = this.#world;
    return { platform, baseUrl: connections.httpUrl(own.host) };
  }

  async #put(blobId: Uint8Array, ciphertext: Uint8Array): Promise<void> {
    await putBlob(this.#host(), blobId, ciphertext);
    if (this.#there.size >= maxBelieved) this.#there.clear();
    this.#there.set(toBase64Url(blobId), this.#world.platform.nowMs());
  }

  #isThere(blobId: Uint8Array): boolean {
    const agoMs = this.#world.platform.nowMs() - (this.#there.get(toBase64Url(blobId)) ?? Number.NEGATIVE_INFINITY);
    return agoMs >= 0 && agoMs < believedMs;
  }

  async #keptCiphertext({ hash }: Pick<BlobReference, "hash">): Promise<Uint8Array | undefined> {
    return await this.#world.store.transact("read", (tx) => keptPicture(tx, hash));
  }

  /** Of a picture that is kept, or of one's own in this conversation. */
  async #ciphertext(logId: Uint8Array, { blobId, hash }: NamedBlob): Promise<Uint8Array | undefined> {
    const isOwn = this.#own() !== undefined && toBase64Url(this.#secrets.of(logId)?.blobId ?? nothing) === toBase64Url(blobId);
    return isOwn ? (await this.#ownIn(logId))?.ciphertext : await this.#keptCiphertext({ hash });
  }

  /** One's own picture as this conversation is told of it; `undefined` while it is not here: then it is fetched. */
  async #ownIn(logId: Uint8Array): Promise<EncryptedBlob | undefined> {
    const own = this.#own();
    const secret = this.#secrets.of(logId);
    if (own === undefined || secret === undefined) return undefined;
    const ciphertext = await this.#keptCiphertext(own);
    const { sha256 } = this.#world.platform;
    const plaintext = ciphertext === undefined ? undefined : decryptBlob({ reference: own, ciphertext, sha256 });
    if (plaintext !== undefined) return encryptBlobUnder(secret, { plaintext, sha256 });
    this.#fetches.ask(own);
    return undefined;
  }

  async #tellAll(): Promise<void> {
    for (const [id, logId] of this.#untold) {
      this.#untold.delete(id);
      if (this.#isClosed) return;
      const sinceMs = this.#world.platform.nowMs();
      try {
        const blob = await this.#ownIn(logId);
        this.#pauses.set(id, { sinceMs, forMs: againMs });
        if (blob === undefined) continue;
        await this.#put(blob.reference.blobId, blob.ciphertext);
        this.#told.set(id, blob.reference);
        this.#pauses.delete(id);
        this.#access.runner(id)?.introduce(true);
      } catch (error) {
        const isPassing = !(error instanceof ClientError) || error.code === "offline";
        this.#pauses.set(id, { sinceMs, forMs: isPassing ? againMs : againLaterMs });
        if (isPassing) this.#tellLater(id, logId);
      }
    }
  }

  /** The host was not reached: nothing may happen in the conversation by which it would be told later. */
  #tellLater(id: string, logId: Uint8Array): void {
    this.#later.set(id, logId);
    if (this.#later.size > 1) return;
    this.#cancelLater = this.#world.platform.setTimer(againMs, () => {
      for (const [one, log] of this.#later) this.#untold.set(one, log);
      this.#later.clear();
      this.#telling.wake().catch(() => undefined);
    });
  }

  async #referenceOf(id: string): Promise<BlobReference | undefined> {
    const runner = this.#access.runner(id);
    if (runner?.state.kind === "group") return parsePicture(runner.state.opening.settings.picture);
    const account = runner === undefined ? id : runner.state.peer === undefined ? "" : toBase64Url(runner.state.peer);
    const { store, own } = this.#world;
    if (account === toBase64Url(own.accountId)) return this.#own();
    if (!(await this.#isMet(account))) return undefined;
    const picture = await store.transact("read", (tx) => tx.get(pictureKey(account)));
    return picture === undefined ? undefined : parsePicture(picture);
  }

  /** Whether anything is fetched on the word of an account: of one that is accepted, or in a group that this person is in. */
  async #isMet(account: string): Promise<boolean> {
    const standing = account === "" ? "blocked" : this.#world.standings.of(fromBase64Url(account));
    if (standing !== "stranger") return standing !== "blocked";
    const groups = this.#access.runners().filter(({ state }) => state.kind === "group");
    const isIn = ({ state }: (typeof groups)[number]): boolean => state.roster?.accounts.has(account) === true;
    if (groups.some(isIn)) return true;
    // Soon after the start who is in them is not at hand.
    for (const group of groups.filter(({ state }) => state.roster === undefined && !hasEnded(state.phase))) {
      await group.load();
      if (isIn(group)) return true;
    }
    return false;
  }

  async #shown(reference: BlobReference): Promise<Picture | undefined> {
    const { store, platform } = this.#world;
    const { hash } = reference;
    const ciphertext = await this.#keptCiphertext(reference);
    const picture = ciphertext === undefined ? undefined : openedOr(reference, ciphertext, platform);
    if (picture !== undefined) await store.transact("write", (tx) => notePictureShown(tx, hash, platform.nowMs())).catch(() => undefined);
    return picture;
  }

  /** @throws ClientError where it does not come */
  async #fetch(reference: BlobReference): Promise<FetchOutcome> {
    const { store, platform } = this.#world;
    const { hash } = reference;
    const ciphertext = await getCiphertext(this.#host(), reference);
    if (opened(reference, ciphertext, platform) === undefined) return "never";
    await store.transact("write", (tx) => keepPicture(tx, { hash, ciphertext, nowMs: platform.nowMs(), always: this.#always() }));
    const asked = referenceId(reference);
    const ids = this.#asked.get(asked) ?? new Set<string>();
    this.#asked.delete(asked);
    for (const id of ids) this.#world.emit({ kind: "picture", id });
    if (this.#always().includes(toBase64Url(hash))) {
      this.#pauses.clear();
      for (const runner of this.#access.runners()) runner.introduce();
    }
    return "kept";
  }
}

/** The picture in a ciphertext; `undefined` where there is none. @throws ClientError `server_lied` for other bytes than the reference says */
function opened(reference: BlobReference, ciphertext: Uint8Array, { sha256 }: Pick<World["platform"], "sha256">): Picture | undefined {
  const bytes = decryptBlob({ reference, ciphertext, sha256 });
  const look = bytes === undefined ? undefined : pictureLook(bytes);
  return bytes === undefined || look === undefined ? undefined : { bytes, mediaType: look.mediaType };
}

/** As `opened`; `undefined` too where the reference says otherwise of what is kept by its hash. */
function openedOr(...params: Parameters<typeof opened>): Picture | undefined {
  try {
    return opened(...params);
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}
