/** Sizes that anything the server stores is padded to, in bytes (spec C-4). */
export const buckets: readonly number[] = [512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** Largest log entry or inbox item carried in a frame, in bytes; above it the content goes into a blob (spec C-4). */
export const maxInlineBytes = 65_536;

/** Length of what a signal carries, whatever it says, in bytes (spec N-1). */
export const signalBytes = 256;

/** Largest token that wakes a device, in bytes (spec W-1). */
export const maxWakeTokenBytes = 2048;

/** So long a wake token holds. */
export const wakeTokenLifeMs = 604_800_000;
/** Longest address of a push service that one holds, in bytes. */
export const maxPushEndpointBytes = 990;

/** Largest WebSocket frame either side sends, in bytes. */
export const maxFrameBytes = 262_144;

/** Largest blob of one PUT, in bytes, unless the server's hello says less. */
export const maxBlobBytes = 104_857_600;

/** Largest application message inside its encryption, in bytes: the longest text, with room for how it is written. */
export const maxContentBytes = 524_288;
/** Largest MLSMessage of an application message: its content, what is authenticated beside it, and what MLS puts around both. */
export const maxMessageBytes: number = maxContentBytes + 16_384;
/** Largest account records that a message shows beside it; of a longer history readers ask its host (spec E-62). */
export const maxMessageProofBytes = 262_144;
/** Largest blob that a message may have its content in: what one member's words may cost each reader before anything of them is verified. */
export const maxMessageBlobBytes = 1_048_576;

/** Most closed epochs that are opened along with another one (spec L-3). */
export const maxClosedEpochs = 128;
/** Epochs of a log that are open on one connection: of more the first that were opened are not any more (spec L-3). */
export const maxEpochsOpen = 1024;

/**
 * Complaints that one epoch takes (spec L-16): of the largest groups every member makes several, and the turns in which a
 * log takes them come to fewer in seven days.
 */
export const maxEpochComplaints = 16_384;
/** Bytes of the complaints that one epoch takes, with all that they name. */
export const maxEpochComplaintBytes = 268_435_456;
/** Complaints that an epoch takes, with those before, once it has been closed for longer than anybody listens in it. */
export const maxLateComplaints = 1024;
/** How long members listen to what is said in a closed epoch (spec L-4). */
export const closedEpochDays = 7;
/** Largest complaint, with all that it names: by X-Wing a key package, an inbox key and eight leaf keys have some 14 KB. */
export const maxComplaintEntryBytes = 17_408;

/** Most blobs that one entry names and keeps alive (spec L-15). */
export const maxBlobsPerEntry = 32;

/** Largest item of a link inbox, in bytes: the bucket that a knock fills (spec I-5). */
export const maxKnockBytes = 4096;
/** Knocks that wait in a link inbox (spec I-5). */
export const maxKnocks = 256;
/** Uses of a join link at most (spec X-14). */
export const maxLinkUses = 1000;
/** The longest time for which a link inbox is open (spec I-5). */
export const maxLinkLifeMs: number = 30 * 86_400_000;

/** One-time key packages that a device keeps published (spec A-5). */
export const oneTimeKeyPackages = 100;
/** The longest lifetime of a key package (spec A-5). */
export const keyPackageLifetimeMs: number = 30 * 86_400_000;

/** Largest key package in bytes (X-Wing: about 3 KB). */
export const maxKeyPackageBytes = 16_384;
/** Most key packages in one publish request. */
export const maxKeyPackagesPerPublish = 64;

/** How long a reserved username waits for its account (spec A-6). */
export const reservationMs = 600_000;

/** Updates of one account a day (spec A-6). */
export const maxAccountUpdatesPerDay = 20;
/** Bytes of one account's history (spec A-6). */
export const maxAccountHistoryBytes = 1_048_576;

/** How long entries are kept unless the server says otherwise (spec L-8). */
export const retentionDays = 30;
/** The least that a server may promise: no client believes an earlier expiry (spec L-8). */
export const leastRetentionDays = 7;

/** Largest DirectoryProof on the wire: a full history has some 3,000 states, each with a hash of 32 bytes in the proof. */
export const maxDirectoryProofBytes = 131_072;

/** Tokens of one batch at most (spec T-1). */
export const maxTokenBatch = 100;

/** Sizes of the chunks of a history backup, in bytes: nothing else is stored (spec B-1). */
export const historyChunkBytes: readonly number[] = [4096, 16_384, 65_536, 245_760];
/** Chunks of one history backup at most (spec B-1). */
export const maxHistoryChunks = 4096;
/** Largest manifest of a history backup, in bytes: it has a hash of each chunk (spec B-3). */
export const maxHistoryManifestBytes = 196_608;

/** Largest value of what an operator publishes in the public record (spec D-8). */
export const maxOperatorValueBytes = 65_536;

/** The smallest bucket that holds `sizeBytes`, or `undefined` above the largest. */
export function bucketFor(sizeBytes: number): number | undefined {
  return buckets.find((bucket) => sizeBytes <= bucket);
}

/** How long after its timer's time a message is gone at the latest, whether or not somebody saw it (spec X-7). */
export const unseenMs: number = 30 * 86_400_000;
