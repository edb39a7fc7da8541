import type { DeskRole } from "@latchkey/protocol/desk";
import type { Statements } from "../../../../store/sqlite/statements.ts";
import { caseReaders } from "../../case-operations.ts";
import { DeskError } from "../../desk-error.ts";
import type { DeskSecrets } from "../../desk-keys.ts";
import type { OpenOperations, Operations } from "../../operations.ts";
import type { Staff } from "../../staff.ts";
import type { OfficeWorld } from "../../world.ts";
import { Disclosures } from "../notice/disclosures.ts";
import { NoticeTable } from "../notice/notice-table.ts";
import type { RequestParts, RequestPart } from "../request-office.ts";
import type { RequestView } from "../request-view.ts";
import { Approving } from "./approving.ts";
import { CopyKeeper } from "./copy-keeper.ts";
import { CopyTable } from "./copy-table.ts";
import { outsideOperations } from "./outside-operations.ts";
import { PackageTable } from "./package-table.ts";
import { releasedFile, releaseOperations } from "./release-operations.ts";
import { releasePart } from "./release-part.ts";
import type { ReleaseParts } from "./release-parts.ts";
import { Vault } from "./vault.ts";
import { WaitMeter } from "./wait-meter.ts";

/** What releases and copies are made with. */
export interface ReleaseWorld {
  readonly sql: Statements;
  readonly secrets: DeskSecrets;
  readonly world: Pick<OfficeWorld, "accountOf" | "holdingsOf" | "cardsOf" | "postNotice" | "statesOf">;
  nowMs(): number;
  reportBug(error: unknown): void;
}

/** What goes out for requests, and what is kept for them. */
export class Releases {
  readonly #parts: ReleaseParts;
  readonly #copies: CopyKeeper;
  readonly #approving: Approving;
  readonly #told: Disclosures;
  /** Until the first tick nobody has said that the clock is not. */
  #isDoubted = true;
  /** What other parts of the desk tell them. */
  readonly parts: readonly RequestPart[];

  constructor(requests: RequestParts, { sql, secrets, world, nowMs, reportBug }: ReleaseWorld) {
    const { hostname, origin } = new URL(requests.options.publicUrl);
    const vault = new Vault(secrets);
    const parts: ReleaseParts = {
      ...requests,
      packages: new PackageTable(sql, vault),
      copies: new CopyTable(sql, vault),
      secrets,
      place: { origin, rpId: hostname },
      holdings: world,
      meter: new WaitMeter(),
    };
    this.#parts = parts;
    this.#approving = new Approving(parts);
    this.#copies = new CopyKeeper({ ...parts, lookUp: world, nowMs, reportBug });
    const isDoubted = (): boolean => this.#isDoubted;
    this.#told = new Disclosures({ ...parts, notices: new NoticeTable(sql), tell: world, nowMs, isDoubted, reportBug });
    // After the act's transaction: a copy is made of what was written down.
    this.parts = [releasePart(parts, this.#approving, () => queueMicrotask(() => this.#copies.rounds.wake())), this.#told.part];
  }

  /** The desk's operations on them. */
  operations(view: RequestView): Operations {
    return releaseOperations(this.#parts, { approving: this.#approving, view });
  }

  /** Those of whoever has a link. */
  open(): OpenOperations {
    return outsideOperations(this.#parts, this.#approving);
  }

  /** The file that went out for a request, for whoever reads requests. @throws DeskError */
  file({ number, staff, nowMs }: { number: number; staff: Staff; nowMs: number }): Uint8Array {
    const { requests, trail, transaction } = this.#parts;
    const readers: readonly DeskRole[] = caseReaders;
    if (!readers.some((role) => staff.roles.includes(role))) throw new DeskError("not_allowed");
    return transaction(() => {
      const bytes = releasedFile(this.#parts, requests.require(number));
      trail.append({ actor: staff.name, act: "release taken", details: { request: number } }, nowMs);
      return bytes;
    });
  }

  /** Does what time has brought. While the clock is doubted nobody is told anything. @param passedMs of a clock that never jumps */
  tick({ nowMs, passedMs, isDoubted }: { nowMs: number; passedMs: number; isDoubted: boolean }): void {
    const { packages, meter, transaction } = this.#parts;
    transaction(() => packages.waited(meter.passed(passedMs), nowMs));
    this.#copies.rounds.wake();
    this.#isDoubted = isDoubted;
    this.#told.rounds.wake();
  }

  /** Resolves when no copy is being made, and nobody being told. */
  async idle(): Promise<void> {
    await this.#copies.rounds.idle();
    await this.#told.rounds.idle();
  }

  stop(): void {
    this.#copies.rounds.stop();
    this.#told.rounds.stop();
  }
}
