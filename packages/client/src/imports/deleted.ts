import type { ImportCalls } from "../api/imports.ts";

/**
 * Whether an import with which something failed was deleted meanwhile, by whoever has the profile: that ends nothing else. What a failure is called
 * differs from place to place; that the import is there no more does not.
 */
export async function isDeleted(target: Pick<ImportCalls, "imports">, importId: string): Promise<boolean> {
  const left = await target.imports().catch(() => undefined);
  return left?.every(({ id }) => id !== importId) === true;
}
