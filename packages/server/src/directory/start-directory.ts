import type { Logger } from "pino";
import { latestDate } from "../clock/held.ts";
import type { ServerClocks } from "../clock/open-clock.ts";
import type { ServerContext, ServerOptions } from "../config.ts";
import type { SetTimer } from "../start/parts.ts";
import type { DirectoryLogStore, LogSigner } from "../store/directory-store.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { openDirectory } from "./bootstrap.ts";
import { Publisher } from "./publisher.ts";
import { rememberSeen } from "./seen.ts";
import { nodeSignatures } from "./signatures.ts";
import { VrfService } from "./vrf-service.ts";
import type { VrfProve } from "./vrf-service.ts";
import { Witnesses } from "./witnesses.ts";

/** The directory of a server that runs. */
export interface StartedDirectory {
  /** Ready, and not started: nothing is published before `start`. */
  readonly publisher: Publisher;
  readonly vrf: VrfService;
  /** What the keys of tokens, of wakes and of passphrases follow from: the VRF's, which no rotation changes. */
  readonly tokenSecret: Uint8Array;
  /** What signs for the log now, and its origin. */
  readonly signer: () => LogSigner;
  /** Makes the key that follows the log's, and has it announced; says whether there was none yet. */
  readonly rotateLogKey: () => Promise<{ readonly isNew: boolean }>;
}

/**
 * Opens the directory's log, or begins it, and makes what publishes it.
 * @param params.prove in place of the VRF's thread
 * @throws ServerError `data_unusable` or `invalid_options`; StoreError
 */
export async function startDirectory(params: {
  options: ServerOptions;
  context: ServerContext;
  store: DirectoryLogStore;
  leases: LeaseStore;
  /** Names this process beside the other nodes of a store. */
  holder: string;
  log: Logger;
  reportBug: (error: unknown) => void;
  setTimer: SetTimer;
  prove: VrfProve | undefined;
  clocks: ServerClocks;
}): Promise<StartedDirectory> {
  const { options, context, store, leases, holder, log, reportBug, setTimer } = params;
  const { clock, recordClock, wallMs } = params.clocks;
  const { dataDirectory } = options;
  const { nowMs, host, limits } = context;
  const datedMs = (): number => Math.min(nowMs(), recordClock.nowMs());
  const opened = await openDirectory({ store, leases, holder, dataDirectory, host, options, nowMs: datedMs(), iKnow: options.iKnow ?? [] });
  const vrf = new VrfService(opened.keys.vrf.secretKey, params.prove);
  const witnesses = new Witnesses({
    policies: opened.askedPolicies,
    signatures: nodeSignatures,
    proveConsistency: (from, to) => store.proveConsistency({ from, to }),
    onTimes(times) {
      clock.hear(times);
      recordClock.hear(times);
    },
  });
  const publisher = new Publisher({
    store,
    leases,
    holder,
    witnesses,
    signer: opened.signer,
    configDue: opened.due,
    intervalMs: limits.publicationIntervalMs,
    headsIntervalMs: limits.headsIntervalMs,
    elapsedMs: context.elapsedMs,
    dates: () => ({ nowMs: datedMs(), latestMs: latestDate({ believedMs: nowMs(), wallMs: wallMs() }) }),
    schedule: (run, delayMs) => setTimer(delayMs, run),
    reportBug,
    onServed: (head) => rememberSeen(dataDirectory, head),
    onBehind: () => log.warn("a witness has seen more of the directory's log than there is: the data folder is an old copy"),
    onQuorum(isMet) {
      if (isMet) log.warn("enough witnesses answer again");
      // By their place in the policy: a name says who watches.
      else log.warn({ witnesses: witnesses.failures }, "too few witnesses answer: clients look nobody up until they do");
    },
  });
  const rotateLogKey = async (): Promise<{ isNew: boolean }> => {
    const isNew = opened.rotate();
    await publisher.tick();
    return { isNew };
  };
  return { publisher, vrf, tokenSecret: opened.keys.vrf.secretKey, signer: opened.signer, rotateLogKey };
}
