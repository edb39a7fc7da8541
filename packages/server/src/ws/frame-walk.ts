/** What one buffer, and one part of a message, cost besides their bytes. */
const overheadBytes = 256;

/**
 * Follows the frames of one peer (RFC 6455 section 5.2) without reading what is in them: where they end, and how much memory the
 * message that is not finished holds, the buffers that it came in included. Whether they are right is not its business.
 */
export class FrameWalk {
  readonly #header = new Uint8Array(14);
  #have = 0;
  #isInPayload = false;
  #left = 0;
  #isMessageOpen = false;
  #heldBytes = 0;
  #messages = 0;
  #isClosed = false;

  /** Bytes of memory that wait for the end of a message or frame. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Messages that have ended so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Whether the peer has said goodbye: nothing that follows is read. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Walks through `chunk` until so many frames have ended; gives how many of its bytes that are. */
  walk(chunk: Uint8Array, maxFrames: number): { readonly bytes: number; readonly frames: number } {
    let at = 0;
    let frames = 0;
    let parts = 0;
    let isFresh = !this.#isOpen;
    while (at < chunk.length && frames < maxFrames && !this.#isClosed) {
      if (!this.#isInPayload) at = this.#readHeader(chunk, at);
      // Not reached: the header is not whole.
      if (!this.#isInPayload) break;
      const taken = Math.min(this.#left, chunk.length - at);
      at += taken;
      this.#left -= taken;
      if (this.#left > 0) break;
      frames += 1;
      if (this.#endFrame()) parts += 1;
      if (!this.#isMessageOpen) {
        isFresh = true;
        parts = 0;
      }
    }
    if (!this.#isOpen) this.#heldBytes = 0;
    else this.#heldBytes = (isFresh ? 0 : this.#heldBytes) + at + overheadBytes * (1 + parts);
    return { bytes: at, frames };
  }

  get #isOpen(): boolean {
    return this.#isMessageOpen || this.#isInPayload || this.#have > 0;
  }

  /** Whether it was a part of a message that goes on. */
  #endFrame(): boolean {
    const first = this.#header[0] ?? 0;
    const opcode = first & 0x0f;
    this.#isInPayload = false;
    this.#have = 0;
    if (opcode === 8) this.#isClosed = true;
    if (opcode >= 8) return false;
    this.#isMessageOpen = first < 0x80;
    if (!this.#isMessageOpen) this.#messages += 1;
    return this.#isMessageOpen;
  }

  #readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#header[this.#have++] = chunk[at++] ?? 0;
      if (this.#have < 2) continue;
      const second = this.#header[1] ?? 0;
      const short = second & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (this.#have < 2 + lengthBytes + (second & 0x80 ? 4 : 0)) continue;
      this.#left = lengthBytes === 0 ? short : this.#longLength(lengthBytes);
      this.#isInPayload = true;
      return at;
    }
    return at;
  }

  #longLength(bytes: number): number {
    let length = 0;
    for (let index = 2; index < 2 + bytes; index++) length = length * 256 + (this.#header[index] ?? 0);
    return length;
  }
}
