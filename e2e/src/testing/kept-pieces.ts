import type { Page } from "playwright-core";

/** Pieces of 1 MiB of ciphertext that this browser keeps; 0 where it has no store of them. */
export async function keptPieces(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    if (!(await indexedDB.databases()).some(({ name }) => name === "latchkey-files-default")) return 0;
    return await new Promise<number>((resolve, reject) => {
      const opening = indexedDB.open("latchkey-files-default");
      opening.addEventListener("error", () => reject(new Error("no store")));
      opening.addEventListener("success", () => {
        const counting = opening.result.transaction("pieces").objectStore("pieces").count();
        counting.addEventListener("success", () => {
          opening.result.close();
          resolve(counting.result);
        });
      });
    });
  });
}
