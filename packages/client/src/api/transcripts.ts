/** A sound, or a film with sound, of which somebody wants to read what is said in it. */
export interface SpokenFile {
  readonly kind: "voice" | "audio" | "video";
  /** By its author's word. */
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** By its author's word. */
  readonly durationMs?: number | undefined;
  /** Its bytes as they were sent, each verified before it is given; what is missing here is fetched. Read once, as far as need be. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Nobody waits for it any more: the file is cancelled, or the client is closed. */
  readonly signal: AbortSignal;
}

/**
 * Writes down what is said in a file, on this device: the client has no such function of its own and asks no service. "" for nothing that
 * was said. Called for one file at a time, and only where a person asks for it. What it throws is thrown by `Client.transcribe`.
 */
export type Transcribe = (file: SpokenFile) => Promise<string>;

/** Longest transcript of one file that is kept, in UTF-16 units; of a longer one the rest is cut. */
export const maxTranscript: number = 16_384;
