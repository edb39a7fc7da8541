import { join } from "node:path";
import type { Rules } from "../admin/rules.ts";
import { createRateAdmission } from "../admission/admission.ts";
import { Asking } from "../admission/asking.ts";
import { FairQueue } from "../admission/fair-queue.ts";
import { TargetLimits } from "../admission/targets.ts";
import { BlobFiles } from "../blobs/blob-files.ts";
import type { PutOutcome } from "../blobs/blob-files.ts";
import { BlobRoom } from "../blobs/blob-room.ts";
import type { Bus } from "../bus/bus.ts";
import { countUpload } from "../blobs/counted-blobs.ts";
import { BlobService } from "../blobs/blob-service.ts";
import { BucketUploads } from "../blobs/bucket-uploads.ts";
import { Uploads } from "../blobs/uploads.ts";
import type { UploadService } from "../blobs/uploads.ts";
import type { ServerContext } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { HoldingsDoor } from "../desk/holdings-door.ts";
import { Directory } from "../directory/directory.ts";
import { OperatorLabels } from "../directory/operator-labels.ts";
import { PublicSuspensions } from "../directory/public-suspensions.ts";
import { folderShelf, storeShelf } from "../directory/suspended-shelf.ts";
import { nodeSignatures } from "../directory/signatures.ts";
import type { StartedDirectory } from "../directory/start-directory.ts";
import { HistoryService } from "../histories/history-service.ts";
import { InboxService } from "../inboxes/inbox-service.ts";
import { LinkInboxes } from "../inboxes/link-inboxes.ts";
import { LogService } from "../logs/log-service.ts";
import type { Counters } from "../metrics.ts";
import { PassphraseService } from "../passphrases/passphrase-service.ts";
import type { PassphraseCrypto } from "../passphrases/passphrase-crypto.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { Store } from "../store/store.ts";
import type { TokenCrypto } from "../tokens/token-crypto.ts";
import { IssuerKeys } from "../tokens/token-keys.ts";
import { TokenService } from "../tokens/token-service.ts";
import type { PushSend } from "../wakes/push-door.ts";
import { WakeKeyring } from "../wakes/wake-keyring.ts";
import { WakeService } from "../wakes/wake-service.ts";
import { DeviceRegistry } from "../ws/device-registry.ts";
import type { Services } from "../ws/services.ts";
import type { HouseTurn } from "./house-turn.ts";
import type { SetTimer } from "./parts.ts";
import type { OpenBlobBucket } from "./blob-place.ts";
import { restoredStatement } from "./restored.ts";

/** Makes what the sessions and routes reach, and the folder of the blobs. */
export async function createServices(params: {
  dataDirectory: string;
  context: ServerContext;
  rules: Pick<Rules, "suspended">;
  counters: Counters;
  store: Store;
  bus: Bus;
  disk: DiskRoom;
  directory: StartedDirectory;
  /** Whether other nodes may have the same store, and which of them keeps house in it. */
  isShared: boolean;
  turn: Pick<HouseTurn, "take">;
  /** Where blobs lie in place of the data folder. */
  blobBucket: Pick<OpenBlobBucket, "place" | "parts"> | undefined;
  setTimer: SetTimer;
  tokenCrypto: TokenCrypto;
  passphraseCrypto: PassphraseCrypto;
  /** Push services that the server speaks to (spec W-1), and the way out to them. */
  push: { services: readonly string[]; send: PushSend };
  reportBug: (error: unknown) => void;
  /** A disk that fails under a file. */
  onDiskFailure: () => void;
}): Promise<Services & { readonly blobs: BlobService; readonly uploads: UploadService }> {
  const { context, counters, store, bus, disk, setTimer, reportBug, onDiskFailure, blobBucket } = params;
  const { limits, nowMs } = context;
  const directory = join(params.dataDirectory, "blobs");
  const blobParts = {
    files: new BlobFiles({ directory, index: store, dayTime: () => new Date(dayOf(nowMs()) * dayMs), place: blobBucket?.place }),
    room: new BlobRoom({ context, disk, index: blobBucket === undefined ? store : withUploads(store) }),
    index: store,
    context,
    onDiskFailure,
  };
  const onWhole = (outcome: PutOutcome): void => countUpload(counters, outcome);
  const uploads =
    blobBucket === undefined
      ? await Uploads.open({ ...blobParts, onWhole })
      : await BucketUploads.open({ ...blobParts, store, parts: blobBucket.parts, onWhole, reportBug });
  const asking = new Asking();
  const queue = new FairQueue(
    {
      total: limits.maxStoreUnits,
      perAddress: limits.maxStoreUnitsPerAddress,
      ofMuch: limits.maxStoreUnitsOfMuch,
      alone: limits.maxStoreUnitsAlone,
    },
    asking,
  );
  const targets = new TargetLimits(limits.targets, nowMs);
  const devices = new DeviceRegistry(context.elapsedMs);
  const { publisher, vrf, signer, tokenSecret } = params.directory;
  // Where anybody makes accounts, a stranger would make budgets with them.
  const admission = createRateAdmission(limits.rates, nowMs, context.registration === "open" ? undefined : devices.members);
  const operatorLabels = new OperatorLabels({ store, publisher, vrf });
  const accounts = new Directory({ store, publisher, vrf, context, signatures: nodeSignatures });
  const restored = await restoredStatement({ dataDirectory: params.dataDirectory, signer: signer(), nowMs });
  return {
    context,
    counters,
    admission,
    asking,
    targets,
    queue,
    disk,
    store,
    bus,
    logs: new LogService({ store, context, counters, queue, targets, disk, bus, setTimer, reportBug }),
    inboxes: new InboxService({ store, context, counters, bus, setTimer, reportBug }),
    linkInboxes: new LinkInboxes({ store, context, counters }),
    directory: accounts,
    operatorLabels,
    suspensions: await PublicSuspensions.open({
      shelf: params.isShared ? storeShelf(store) : folderShelf(params.dataDirectory),
      turn: params.turn,
      host: context.host,
      labels: operatorLabels,
      suspended: () => params.rules.suspended(),
      nowMs,
    }),
    tokens: new TokenService({
      store,
      keys: new IssuerKeys({ store, labels: operatorLabels, crypto: params.tokenCrypto, secret: tokenSecret }),
      crypto: params.tokenCrypto,
      context,
      admission,
    }),
    passphrases: new PassphraseService({
      store,
      accounts: (accountId) => accounts.account(accountId),
      crypto: params.passphraseCrypto,
      secret: tokenSecret,
      signatures: nodeSignatures,
      context,
    }),
    wakes: new WakeService({
      ...params.push,
      keyring: new WakeKeyring(tokenSecret),
      labels: operatorLabels,
      targets,
      counters,
      context,
      setTimer,
    }),
    histories: new HistoryService({ store, context, admission, targets, disk }),
    holdings: new HoldingsDoor({ source: { store, host: context.host }, queue, context }),
    devices,
    blobs: new BlobService({ ...blobParts, ...(blobBucket === undefined ? {} : { uploads: store }) }),
    uploads,
    restored,
    reportBug,
  };
}

/** The totals of blobs, with what has come of uploads that lie beside them. */
function withUploads(store: Pick<Store, "blobTotals" | "uploadTotals">): Pick<Store, "blobTotals"> {
  return {
    async blobTotals() {
      const { blobs, blobBytes } = await store.blobTotals();
      return { blobs, blobBytes: blobBytes + (await store.uploadTotals()).uploadBytes };
    },
  };
}
