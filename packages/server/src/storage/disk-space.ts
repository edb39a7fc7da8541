import { statfs } from "node:fs/promises";

/** The file system of a folder, in bytes. */
export interface DiskSpace {
  /** What is left for whoever runs this process. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Asks the system. @throws the system's error */
export async function diskSpaceOf(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
