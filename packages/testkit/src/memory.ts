import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Collects garbage now, as it may be at any moment of a process that lives for long: what nobody holds is gone after it. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}

/** Bytes of buffers that somebody holds. Those of what is gone are given back a moment after it is collected. */
export async function heldBufferBytes(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 3; look++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
    least = Math.min(least, process.memoryUsage().arrayBuffers);
  }
  return least;
}
