import type { LockChange, LockSettings, LockView, NewOpener, Opened, Opener } from "@latchkey/client/lock";
import { createIdleLock } from "./idle-lock.ts";
import type { IdleLock } from "./idle-lock.ts";
import type { HostStatus, LockAct, LockAnswer } from "./protocol.ts";

/** Why a worker lets go of its profile. */
export type End = "account_deleted" | "erased" | "replaced" | "locked" | "sealing";

/** What can be done to the lock of a profile whose Web Lock is held. */
export interface LockWork {
  view(): Promise<LockView | undefined>;
  unlock(opener: Opener): Promise<Opened<CryptoKey>>;
  change(present: Opener, change: LockChange): Promise<Opened<LockView | undefined>>;
  /** The profile is closed. */
  turnOn(opener: NewOpener, settings: LockSettings, onProgress: (records: number) => void): Promise<void>;
}

/** Whether the profile may be opened. */
export type Entered =
  /** `key` is `undefined` where no lock is on. */
  { readonly kind: "opened"; readonly key: CryptoKey | undefined } | { readonly kind: "left"; readonly end: End };

/** The lock of a worker's profile. `P` is a page. */
export interface LockDoor<P> {
  /** Resolves when the profile may be opened: at once, or when somebody unlocks it. */
  enter(): Promise<Entered>;
  /** Nobody is to enter any more. */
  leave(end: End): void;
  /** The client is open: the status that says so. */
  opened(): HostStatus;
  /** It is closed, or about to be. */
  closed(): void;
  /** Whether somebody has unlocked what is open. */
  isUnlocked(): boolean;
  /** What a person does in some page. */
  act(act: LockAct): Promise<LockAnswer>;
  /** Turns the lock on that was asked for; the profile is closed. */
  seal(): Promise<void>;
  seen(page: P, isVisible: boolean): void;
  /** Something goes on, in a page or here. */
  goesOn(): void;
  left(page: P): void;
}

/** What it needs of the worker around it. */
export interface LockDoorParams {
  readonly work: LockWork;
  readonly setStatus: (status: HostStatus) => void;
  /** Ends with the client once the pages had time to hand over what they have. */
  readonly handOver: (end: End) => void;
  /** Ends with the client now. */
  readonly end: (end: End) => void;
}

/** How many records may go by before the pages are told. */
const toldEvery = 1000;

/** Creates the door; nothing is open. */
export function createLockDoor<P>({ work, setStatus, handOver, end }: LockDoorParams): LockDoor<P> {
  let view: LockView | undefined;
  let enter: ((entered: Entered) => void) | undefined;
  let idle: IdleLock<P> | undefined;
  let isOpen = false;
  let asked: { readonly opener: NewOpener; readonly settings: LockSettings } | undefined;
  /** Of two pages that try at once, one comes after the other. */
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = async <T>(run: () => Promise<T>): Promise<T> => {
    const turn = last.then(run);
    last = turn.catch(() => undefined);
    return await turn;
  };

  const lockNow = (): void => {
    if (!isOpen || view === undefined) return;
    isOpen = false;
    setStatus({ kind: "locking", isDone: false });
    handOver("locked");
  };

  const watch = (): void => {
    if (view === undefined) {
      idle?.end();
      idle = undefined;
    } else if (idle === undefined) idle = createIdleLock(view.settings, lockNow);
    else idle.follow(view.settings);
  };

  const ready = (): HostStatus => ({ kind: "ready", ...(view === undefined ? {} : { lock: view }) });

  const unlock = async (opener: Opener): Promise<LockAnswer> => {
    const entering = enter;
    if (entering === undefined) return { kind: "done" };
    const tried = await work.unlock(opener);
    // Somebody begins anew meanwhile, or a worker of another build has the profile: the status says so.
    if (enter !== entering) return { kind: "done" };
    if (tried.kind === "opened") entering({ kind: "opened", key: tried.value });
    else if (tried.kind === "erased") entering({ kind: "left", end: "erased" });
    else {
      ({ view } = tried);
      setStatus({ kind: "locked", lock: tried.view });
      return tried;
    }
    enter = undefined;
    return tried.kind === "opened" ? { kind: "done" } : tried;
  };

  const change = async (present: Opener, what: LockChange): Promise<LockAnswer> => {
    const tried = await work.change(present, what);
    if (tried.kind === "erased") end("erased");
    if (tried.kind !== "opened") return tried;
    view = tried.value;
    if (isOpen) {
      watch();
      setStatus(ready());
    }
    return { kind: "done" };
  };

  return {
    async enter() {
      view = await work.view();
      if (view === undefined) return { kind: "opened", key: undefined };
      const entered = new Promise<Entered>((resolve) => (enter = resolve));
      setStatus({ kind: "locked", lock: view });
      return await entered;
    },
    leave(why) {
      enter?.({ kind: "left", end: why });
      enter = undefined;
    },
    opened() {
      isOpen = true;
      watch();
      return ready();
    },
    closed() {
      isOpen = false;
      idle?.end();
      idle = undefined;
    },
    isUnlocked: () => isOpen && view !== undefined,
    async act(act) {
      switch (act.kind) {
        case "unlock":
          return await inTurn(() => unlock(act.opener));
        case "now":
          lockNow();
          return { kind: "done" };
        case "turn_on":
          if (!isOpen || view !== undefined) return { kind: "done" };
          isOpen = false;
          asked = act;
          setStatus({ kind: "sealing", records: 0 });
          handOver("sealing");
          return { kind: "done" };
        case "change":
          return await inTurn(() => change(act.present, act.change));
      }
    },
    async seal() {
      if (asked === undefined) return;
      const { opener, settings } = asked;
      asked = undefined;
      let told = 0;
      await work.turnOn(opener, settings, (records) => {
        if (records < told + toldEvery) return;
        told = records;
        setStatus({ kind: "sealing", records });
      });
    },
    seen: (page, isVisible) => idle?.seen(page, isVisible),
    goesOn: () => idle?.goesOn(),
    left: (page) => idle?.left(page),
  };
}
