import type { ImportCalls } from "../api/imports.ts";
import { goingPrefix } from "./going.ts";
import type { ErasingAccess } from "./erasing.ts";
import type { ImportsAccess } from "./imports.ts";

/** Goes on erasing what was being deleted when a program ended. */
export async function goOnErasing(access: ErasingAccess): Promise<void> {
  const [found] = await access.store.transact("read", (tx) => tx.scan({ prefix: goingPrefix, limit: 1 }));
  if (found !== undefined) await (await import("./erasing.ts")).eraseGoing(access);
}

/** What other programs said, loaded when it is asked for. @param access throws where there is no account, or the client is closed */
export function importCalls(access: () => ImportsAccess): ImportCalls {
  let loading: Promise<ImportCalls> | undefined;
  const load = async (): Promise<ImportCalls> => {
    const given = access();
    loading ??= import("./imports.ts").then(({ createImports }) => createImports(given));
    loading.catch(() => (loading = undefined));
    return await loading;
  };
  return {
    imports: async () => (await load()).imports(),
    beginImport: async (about) => (await load()).beginImport(about),
    addToImport: async (id, more) => (await load()).addToImport(id, more),
    keepImportedFile: async (id, file) => (await load()).keepImportedFile(id, file),
    stopImportedFiles: async (id) => (await load()).stopImportedFiles(id),
    finishImport: async (id, ended) => (await load()).finishImport(id, ended),
    importedLines: async (id, range) => (await load()).importedLines(id, range),
    importedFile: async (id, order, fileId) => (await load()).importedFile(id, order, fileId),
    async *readImportedFile(id, order, fileId) {
      yield* (await load()).readImportedFile(id, order, fileId);
    },
    importAside: async (id) => (await load()).importAside(id),
    searchImports: async (query, params) => (await load()).searchImports(query, params),
    deleteImport: async (id) => (await load()).deleteImport(id),
  };
}
