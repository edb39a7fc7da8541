import type { Admission } from "../admission/admission.ts";
import type { Asking } from "../admission/asking.ts";
import type { FairQueue } from "../admission/fair-queue.ts";
import type { TargetLimits } from "../admission/targets.ts";
import type { Bus } from "../bus/bus.ts";
import type { ServerContext } from "../config.ts";
import type { HoldingsDoor } from "../desk/holdings-door.ts";
import type { Directory } from "../directory/directory.ts";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import type { PublicSuspensions } from "../directory/public-suspensions.ts";
import type { PassphraseService } from "../passphrases/passphrase-service.ts";
import type { TokenService } from "../tokens/token-service.ts";
import type { HistoryService } from "../histories/history-service.ts";
import type { InboxService } from "../inboxes/inbox-service.ts";
import type { LinkInboxes } from "../inboxes/link-inboxes.ts";
import type { LogService } from "../logs/log-service.ts";
import type { Counters } from "../metrics.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { Store } from "../store/store.ts";
import type { WakeService } from "../wakes/wake-service.ts";
import type { DeviceRegistry } from "./device-registry.ts";

/** Everything that the sessions reach. */
export interface Services {
  readonly context: ServerContext;
  readonly counters: Counters;
  readonly admission: Admission;
  readonly targets: TargetLimits;
  /** Turns at the store. */
  readonly queue: FairQueue;
  /** Who asks for much, and who for little. */
  readonly asking: Asking;
  readonly disk: DiskRoom;
  readonly store: Store;
  /** Tells the other nodes what has changed. */
  readonly bus: Bus;
  readonly logs: LogService;
  readonly inboxes: InboxService;
  readonly linkInboxes: LinkInboxes;
  readonly directory: Directory;
  readonly operatorLabels: OperatorLabels;
  /** The list of suspended accounts that everybody may fetch. */
  readonly suspensions: PublicSuspensions;
  readonly tokens: TokenService;
  readonly passphrases: PassphraseService;
  readonly wakes: WakeService;
  /** Backups of accounts' histories. */
  readonly histories: HistoryService;
  /** Where an account's own devices fetch what is held about it. */
  readonly holdings: HoldingsDoor;
  readonly devices: DeviceRegistry;
  /** What connections are told of a restore (spec D-7); empty for nothing. */
  readonly restored: () => Uint8Array;
  /** Writes down an error that should not happen; nothing of the request. */
  reportBug(error: unknown): void;
}
