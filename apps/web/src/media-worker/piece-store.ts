import type { PieceStore } from "./pieces.ts";

const dayMs = 86_400_000;

/**
 * The store in which the client keeps ciphertext: this worker reads and fills it, and makes none. Where there is none, or it cannot be opened, nothing
 * is kept. A client that erases it is not in this worker's way.
 */
export function openPieceStore(name: string, nowMs: () => number): PieceStore {
  let opening: Promise<IDBDatabase | undefined> | undefined;
  const database = (): Promise<IDBDatabase | undefined> => {
    opening ??= open(name, () => (opening = undefined)).then((opened) => {
      if (opened === undefined) opening = undefined;
      return opened;
    });
    return opening;
  };
  return {
    async get(id, index) {
      const opened = await database();
      if (opened === undefined) return undefined;
      const value: unknown = await resultOf(opened.transaction("pieces").objectStore("pieces").get([id, index]));
      return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
    },
    async put(id, index, piece, totalBytes) {
      try {
        const opened = await database();
        if (opened === undefined) return;
        const transaction = opened.transaction(["pieces", "blobs"], "readwrite");
        const isDone = doneOf(transaction);
        transaction.objectStore("pieces").put(piece.buffer, [id, index]);
        transaction.objectStore("blobs").put({ totalBytes, lastUsedDay: Math.floor(nowMs() / dayMs) }, id);
        await isDone;
      } catch {
        // No room, or it is being erased: the file is shown all the same.
      }
    },
    async drop(id, index) {
      try {
        const transaction = (await database())?.transaction("pieces", "readwrite");
        if (transaction === undefined) return;
        const isDone = doneOf(transaction);
        transaction.objectStore("pieces").delete([id, index]);
        await isDone;
      } catch {
        // It is being erased: nothing of it is kept.
      }
    },
  };
}

async function open(name: string, onClosed: () => void): Promise<IDBDatabase | undefined> {
  try {
    const request = indexedDB.open(name);
    // There is none: nothing is made.
    request.addEventListener("upgradeneeded", () => request.transaction?.abort());
    const opened = await resultOf(request);
    const close = (): void => {
      opened.close();
      onClosed();
    };
    opened.addEventListener("versionchange", close);
    opened.addEventListener("close", onClosed);
    return opened;
  } catch {
    return undefined;
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("not stored")));
  });
}

function doneOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("not stored")));
  });
}
