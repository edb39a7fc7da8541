/** What the server counts of itself: plain numbers on the paths of messages, read when somebody asks. Nothing about anybody. */
export interface Counters {
  requests: number;
  refusals: Map<string, number>;
  entriesStored: number;
  entriesDelivered: number;
  itemsStored: number;
  /** Link inboxes that were opened, and knocks that came into them. */
  linkInboxesOpened: number;
  knocksStored: number;
  /** What became of wakes, by what their push service answered (spec W-1). */
  wakes: Map<string, number>;
  /** Signals that came, and those that went to nobody since there were too many. */
  signals: number;
  signalsDropped: number;
  protocolErrors: number;
  slowReaders: number;
  /** Connections that were ended since the memory was needed. */
  evictedConnections: number;
  bytesReceived: number;
  bytesSent: number;
  /** Answers over HTTP by their status. */
  httpResponses: Map<string, number>;
  /** Uploads by what became of them, and how many are under way. */
  uploads: Map<string, number>;
  openUploads: number;
  /** What the bucket of the blobs failed at. */
  bucketFailures: number;
}

export function createCounters(): Counters {
  return {
    requests: 0,
    refusals: new Map(),
    entriesStored: 0,
    entriesDelivered: 0,
    itemsStored: 0,
    linkInboxesOpened: 0,
    knocksStored: 0,
    wakes: new Map(),
    signals: 0,
    signalsDropped: 0,
    protocolErrors: 0,
    slowReaders: 0,
    evictedConnections: 0,
    bytesReceived: 0,
    bytesSent: 0,
    httpResponses: new Map(),
    uploads: new Map(),
    openUploads: 0,
    bucketFailures: 0,
  };
}

/** Counts one refusal by its code. */
export function countRefusal(counters: Counters, code: string): void {
  counters.refusals.set(code, (counters.refusals.get(code) ?? 0) + 1);
}
