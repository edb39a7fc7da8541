/** At most so often it is written anew. */
const everyMs = 250;

/** A line that says how far something is, while somebody looks on. */
export interface Progress {
  /** So many bytes of it are done. @param total absent where nobody knows */
  at(done: number, total?: number): void;
  /** Takes the line away. */
  end(): void;
}

/** No line, where nobody looks on. */
export const noProgress: Progress = { at: () => undefined, end: () => undefined };

/** A line on a terminal. @param what is done, as it may be shown */
export function createProgress(write: (text: string) => unknown, what: string): Progress {
  let writtenMs = 0;
  let isWritten = false;
  return {
    at(done, total) {
      const nowMs = Date.now();
      if (nowMs - writtenMs < everyMs && done !== total) return;
      writtenMs = nowMs;
      isWritten = true;
      if (total === undefined) {
        write(`\r\u001B[K${what}: ${formatBytes(done)}`);
        return;
      }
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      write(`\r\u001B[K${what}: ${String(percent)} % (${formatBytes(done)} of ${formatBytes(total)})`);
    },
    end() {
      if (isWritten) write("\r\u001B[K");
      isWritten = false;
    },
  };
}

/** `1.2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? String(Math.round(value)) : value.toFixed(1)} ${units[unit] ?? ""}`;
}
