import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CountsQuery } from "./counting/published.ts";
import { deskDatabaseFile } from "./database.ts";
import { ownBuffers } from "../../give-up.ts";
import { StoreError } from "../../errors.ts";
import { DeskError } from "./desk-error.ts";
import type { YearExport } from "./export.ts";
import type { FileRequest, OfficeAnswer, OfficeRequest, WaitingAtDesk } from "./office.ts";
import { OfficeThread } from "./office-thread.ts";
import type { OfficeParams, OfficeResult } from "./messages.ts";
import type { OfficeSurroundings } from "./office-thread.ts";
import type { OfficeOptions, Times } from "./operations.ts";

/** What anybody may ask of a desk. */
type DoorMethod = "seen" | "arrive" | "announced" | "attach" | "answers";

/** The desk of a server: its thread runs from when the operator began one, and none runs where nobody did. */
export class OfficeKeeper {
  readonly #options: OfficeOptions;
  #thread: Promise<OfficeThread> | undefined;
  #isClosed = false;
  /** Its files have to be looked at: it is not opened again by itself. */
  #isUnusable = false;

  readonly #surroundings: OfficeSurroundings;

  constructor(options: OfficeOptions, surroundings: OfficeSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  /** Opens the desk where there is one. @throws ServerError when its database cannot be used */
  async open(): Promise<void> {
    if (!existsSync(join(this.#options.directory, deskDatabaseFile))) return;
    try {
      await this.#begin();
      this.#isUnusable = false;
    } catch (error) {
      // A store that is away for now says nothing of its files.
      this.#isUnusable = !(error instanceof StoreError);
      throw error;
    }
  }

  /** Whether there is one. */
  get isBegun(): boolean {
    return this.#thread !== undefined;
  }

  /** Whether another server with the same database has the desk. @throws StoreError */
  async isElsewhere(): Promise<boolean> {
    return this.#thread === undefined && ((await this.#surroundings.seat?.isElsewhere()) ?? false);
  }

  /** Where browsers have its page. */
  get publicUrl(): string {
    return this.#options.publicUrl;
  }

  /** Answers a request of the desk's page. @throws DeskError `not_found` where there is no desk */
  async handle(request: OfficeRequest): Promise<OfficeAnswer> {
    return (await this.#require()).call("handle", request);
  }

  /** The bytes of a file of a case. @throws DeskError */
  async file(request: FileRequest): Promise<Uint8Array> {
    return (await this.#require()).call("file", request);
  }

  /** How much of a file of a request is waited for. @throws DeskError */
  async awaitedFile(call: OfficeParams<"awaitedFile">): Promise<OfficeResult<"awaitedFile">> {
    return (await this.#require()).call("awaitedFile", call);
  }

  /** Takes the bytes of a file of a request that come next, from a caller who has them no more. @throws DeskError */
  async appendFile(call: OfficeParams<"appendFile">): Promise<void> {
    return (await this.#require()).call("appendFile", call, ownBuffers(call.bytes));
  }

  /** A part of a file of a request. @throws DeskError */
  async filePart(call: OfficeParams<"filePart">): Promise<Uint8Array> {
    return (await this.#require()).call("filePart", call);
  }

  /** The file that went out for a request. @throws DeskError */
  async releasedFile(call: OfficeParams<"releasedFile">): Promise<Uint8Array> {
    return (await this.#require()).call("releasedFile", call);
  }

  /** Whether there is a desk where somebody could read a report. */
  async takesReports(): Promise<boolean> {
    return this.#thread !== undefined && (await (await this.#thread).call("isStaffed", undefined));
  }

  /** What is asked at the door. @throws DeskError */
  async door<Name extends DoorMethod>(name: Name, params: OfficeParams<Name>): Promise<OfficeResult<Name>> {
    return (await this.#require()).call(name, params);
  }

  /** Names the first administrator, with which a desk begins. Answers their code. @throws DeskError */
  async begin(params: { name: string; nowMs: number }): Promise<string> {
    return (await this.#begin()).call("operatorCode", { ...params, isFirst: true });
  }

  /** A new code for somebody of the staff. @throws DeskError */
  async code(params: { name: string; nowMs: number }): Promise<string> {
    return (await this.#require()).call("operatorCode", { ...params, isFirst: false });
  }

  /** What waits there; `undefined` where there is no desk. */
  async waiting(): Promise<WaitingAtDesk | undefined> {
    return this.#thread === undefined ? undefined : (await this.#thread).call("waiting", undefined);
  }

  /** Who is staff. @throws DeskError `not_found` where there is no desk */
  async staff(): Promise<readonly object[]> {
    return (await this.#require()).call("staff", undefined);
  }

  /** The exports of a calendar year. @throws DeskError `not_found` where there is no desk */
  async exportYear(params: { year: number; service: string; nowMs: number }): Promise<YearExport> {
    return (await this.#require()).call("exportYear", params);
  }

  /** What is counted in public, as everybody is given it; `undefined` for what is not there. @throws DeskError `not_found` where there is no desk */
  async counts(params: CountsQuery): Promise<Uint8Array | undefined> {
    return (await this.#require()).call("counts", params);
  }

  /** Does what time has brought, where there is a desk; answers how many cases were erased. */
  async tick(times: Times & { isDoubted: boolean }): Promise<number> {
    if (this.#isClosed || this.#isUnusable) return 0;
    if (this.#thread !== undefined && (await this.#surroundings.seat?.isElsewhere()) === true) await this.#leave();
    await this.open();
    return this.#thread === undefined ? 0 : (await this.#thread).call("tick", times);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = await this.#thread?.catch(() => undefined);
    await thread?.close();
  }

  /** The operator has begun another one elsewhere, since this one was taken for lost. */
  async #leave(): Promise<void> {
    const thread = await this.#thread;
    this.#thread = undefined;
    await thread?.close();
  }

  #begin(): Promise<OfficeThread> {
    if (this.#thread === undefined) {
      const starting = this.#start();
      this.#thread = starting;
      const gone = (): void => {
        if (this.#thread === starting) this.#thread = undefined;
      };
      // One that could not be started, or ended by itself, is started again.
      starting.then((thread) => thread.ended.then(gone), gone);
    }
    return this.#thread;
  }

  async #start(): Promise<OfficeThread> {
    await this.#surroundings.seat?.take();
    return await OfficeThread.start(this.#options, this.#surroundings);
  }

  async #require(): Promise<OfficeThread> {
    if (this.#thread === undefined) throw new DeskError("not_found");
    return this.#thread;
  }
}
