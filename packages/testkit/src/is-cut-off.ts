import type { Socket } from "node:net";

/** Far more than what systems hold for both sides of a connection that nobody reads. */
const mostBytes = 64_000_000;

/**
 * Writes to a socket as fast as the other side takes it, until it is closed. Answers whether it was, before more went than the systems of both
 * sides hold: somebody reads it otherwise.
 */
export async function isCutOff(socket: Socket): Promise<boolean> {
  let isOver = socket.closed;
  const over = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isOver = true;
      resolve();
    });
  });
  socket.on("error", () => undefined);
  const part = Buffer.alloc(1_048_576, "a");
  for (let sent = 0; !isOver && sent < mostBytes; sent += part.length) {
    const drained = new Promise((resolve) => {
      socket.once("drain", resolve);
    });
    if (!socket.write(part)) await Promise.race([over, drained]);
  }
  if (!isOver) socket.destroy();
  return isOver;
}
