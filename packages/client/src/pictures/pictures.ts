import { maxPictureBlobBytes, splitEntry } from "@latchkey/protocol";
import type { Picture } from "../api/people.ts";
import type { ConversationState } from "../core/types.ts";
import type { World } from "../engine/world.ts";
import { profileOf } from "../own/view.ts";
import type { PicturesAccess } from "./access.ts";
import { OwnSecrets } from "./own-picture.ts";
import type { PictureWork } from "./picture-work.ts";

const nothing = new Uint8Array(0);
/** An entry waits so long for a host that takes no picture and does not say so. */
const bringMs = 15_000;

/**
 * The pictures of people and groups (spec X-21), as far as every step of a conversation asks for them; the rest is loaded with the first one
 * that is shown, told or made. Nothing that a person writes waits for a picture.
 */
export class Pictures {
  readonly #world: World;
  #access: PicturesAccess = { runner: () => undefined, runners: () => [] };
  readonly #secrets = new OwnSecrets();
  #work: PictureWork | undefined;
  #loading: Promise<PictureWork> | undefined;
  #isClosed = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** From now on conversations are told of the person's picture. */
  start(access: PicturesAccess): void {
    this.#access = access;
  }

  close(): void {
    this.#isClosed = true;
    this.#work?.close();
  }

  /** The picture of a person, or of a group by its conversation; `undefined` for none, or none yet: then it is fetched, and an event tells. */
  async picture(id: string): Promise<Picture | undefined> {
    return await (await this.#loaded()).picture(id);
  }

  /** What leads to a picture of these bytes, which is kept here and at the host. @throws ClientError `invalid_setting` */
  async make(bytes: Uint8Array): Promise<Uint8Array> {
    return await (await this.#loaded()).make(bytes);
  }

  /** The id of the blob by which a conversation is told of the person's picture, empty for none: known without the picture. */
  idIn({ logId }: Pick<ConversationState, "logId">): Uint8Array {
    const picture = profileOf(this.#world.ownThings)?.picture ?? nothing;
    return picture.length === 0 || this.#secrets.follow(picture) === undefined ? nothing : (this.#secrets.of(logId)?.blobId ?? nothing);
  }

  /** What leads to it there, once the host has it; till then `undefined`, and the conversation is told once it has. */
  told(state: Pick<ConversationState, "id" | "logId">): Uint8Array | undefined {
    if (this.idIn(state).length === 0) return undefined;
    if (this.#work === undefined) this.#inBackground((work) => work.told(state));
    return this.#work?.told(state);
  }

  /** The person has another picture. */
  changed(): void {
    this.#inBackground((work) => work.changed());
  }

  /** Has the host keep the person's own picture for their other devices, where there are any. */
  offerOwn(): void {
    const { ownThings, own } = this.#world;
    const isMeant = (profileOf(ownThings)?.picture.length ?? 0) > 0 && own.account.state.devices.length > 1;
    if (isMeant) this.#inBackground((work) => work.offerOwn());
  }

  /** As `PictureTelling` says. */
  async bring(state: Pick<ConversationState, "logId">, entry: Uint8Array, isLost: boolean): Promise<boolean> {
    const isNaming = splitEntry(entry)?.blobs.some(({ sizeBytes }) => sizeBytes <= maxPictureBlobBytes) === true;
    if (!isNaming) return false;
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#world.platform.setTimer(bringMs, () => resolve(false));
    try {
      const brought = this.#loaded().then((work) => work.bring(state, entry, isLost));
      return await Promise.race([brought, late]);
    } catch {
      // Without the part that does it the entry goes all the same.
      return false;
    } finally {
      cancel();
    }
  }

  #inBackground(run: (work: PictureWork) => unknown): void {
    if (this.#isClosed) return;
    this.#loaded()
      .then(run)
      .catch(() => undefined);
  }

  #loaded(): Promise<PictureWork> {
    this.#loading ??= import("./picture-work.ts").then(
      ({ PictureWork: Loaded }) => {
        this.#work = new Loaded(this.#world, this.#access, this.#secrets);
        if (this.#isClosed) this.#work.close();
        return this.#work;
      },
      (error: unknown) => {
        // Asked for again with the next one.
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }
}
