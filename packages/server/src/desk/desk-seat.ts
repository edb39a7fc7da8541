import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { errorCode, replaceFile } from "../files.ts";
import type { Store } from "../store/store.ts";
import { withLease } from "../store/with-lease.ts";

/** The setting that says which desk is that of a database. */
const seatSetting = "desk";
const nameBytes = 16;
/** For how long what the database said of it counts. */
const lookedMs = 10_000;

/** What it is made with. */
interface DeskSeatParams {
  readonly dataDirectory: string;
  readonly store: Pick<Store, "takeLease" | "giveBackLease"> & { readonly admin: Pick<Store["admin"], "rules" | "setSetting"> };
  /** Names this process beside the others with its database. */
  readonly holder: string;
  /** The operator says that the desk that another one had is gone for good. */
  readonly isLost: boolean;
  /** A clock that never jumps, in milliseconds. */
  readonly elapsedMs: () => number;
}

/**
 * Which of several servers on one database has the desk: one, since a desk is a database and keys of its own, in one data folder (decision
 * 0042). The desk has a random name there, and the database says which name counts.
 */
export class DeskSeat {
  readonly #params: DeskSeatParams;
  #looked: { readonly name: string; readonly untilMs: number } | undefined;
  /** The question under way: whoever asks meanwhile waits for the same answer. */
  #looking: Promise<string> | undefined;
  /** It is said of the one that is there at the start, and of none that comes after. */
  #isLost: boolean;

  constructor(params: DeskSeatParams) {
    this.#params = params;
    this.#isLost = params.isLost;
  }

  /** Takes it for the desk of this data folder, which has it already, or is the first. @throws ServerError `data_unusable` where another one has it; StoreError */
  async take(): Promise<void> {
    const { store, holder } = this.#params;
    await withLease(store, { name: "desk", holder }, async () => {
      const [own, name] = [this.#ownName(), await this.#read()];
      if (name !== "" && name === own) return;
      if (name !== "" && !this.#isLost) throw elsewhere();
      await store.admin.setSetting({ name: seatSetting, value: own ?? this.#nameIt() });
    });
    this.#looked = undefined;
    this.#isLost = false;
  }

  /** Whether another server has it, as of the last seconds. @throws StoreError */
  async isElsewhere(): Promise<boolean> {
    const looked = this.#looked;
    const isFresh = looked !== undefined && this.#params.elapsedMs() < looked.untilMs;
    const name = isFresh ? looked.name : await (this.#looking ??= this.#look());
    return name !== "" && name !== this.#ownName();
  }

  async #look(): Promise<string> {
    try {
      const name = await this.#read();
      this.#looked = { name, untilMs: this.#params.elapsedMs() + lookedMs };
      return name;
    } finally {
      this.#looking = undefined;
    }
  }

  async #read(): Promise<string> {
    return (await this.#params.store.admin.rules()).settings[seatSetting] ?? "";
  }

  #ownName(): string | undefined {
    try {
      return readFileSync(this.#path(), "utf8").trim();
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw new ServerError("data_unusable", "The file desk/seat in the data directory cannot be read: look at its rights and its disk.", {
        cause: error,
      });
    }
  }

  #nameIt(): string {
    const name = randomBytes(nameBytes).toString("hex");
    mkdirSync(join(this.#params.dataDirectory, "desk"), { recursive: true, mode: 0o700 });
    replaceFile(this.#path(), `${name}\n`);
    return name;
  }

  #path(): string {
    return join(this.#params.dataDirectory, "desk", "seat");
  }
}

function elsewhere(): ServerError {
  return new ServerError(
    "data_unusable",
    "Another server with this database has the desk: use that one, or move desk.sqlite and desk/ of its data folder here while both stand still. If they are gone for good, start this server once with --i-know lost-desk and begin a desk anew: what was open there is lost.",
  );
}
