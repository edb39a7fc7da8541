/** A way on which messages go, one after the other, to everybody who is to have them. */
export interface Channel {
  /** Sends the next message. */
  send(): void;
  /** Called when the oldest message under way has reached everybody; for ours, when it is acknowledged as durable too. */
  onDelivered: () => void;
}

/** A server that is measured: ours, or another messenger's. */
export interface Contender extends AsyncDisposable {
  /** Name, version, and what it stores. */
  readonly label: string;
  /** CPU seconds of the process and all its children so far, user and system. */
  cpuSeconds(): number;
  /** So many people who write to one other person each. */
  openPairs(count: number): Promise<readonly Channel[]>;
  /** One person who writes to so many, all online. */
  openRoom(members: number): Promise<Channel>;
  /** Ends the connections of a scenario. */
  hangUp(): void;
}

/** Bytes of the content of each message, everywhere the same. */
export const messageBytes = 512;
