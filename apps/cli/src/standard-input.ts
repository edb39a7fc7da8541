import { CommandError } from "./errors.ts";

/** More than any text that a message holds (65,536 bytes), so that it is known to be too long: what never ends is not waited for. */
const maxInputBytes = 1 << 20;

/**
 * All of a stream as the text that its bytes are in UTF-8.
 * @throws CommandError `invalid_text` for bytes that are no UTF-8, `message_too_large` above 1 MiB, without reading on
 */
export async function readText(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxInputBytes) throw new CommandError("message_too_large", "standard input is longer than any message may be");
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CommandError("invalid_text", "standard input is not valid UTF-8: nothing was sent, convert it first", { cause });
  }
}
