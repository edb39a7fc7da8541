import type { Page } from "playwright-core";

/** Pieces of 1 MiB of ciphertext that this browser keeps. */
export async function keptPieces(page: Page): Promise<number> {
  return await page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open("latchkey-files-default");
        opening.addEventListener("error", () => reject(new Error("no store")));
        opening.addEventListener("success", () => {
          const counting = opening.result.transaction("pieces").objectStore("pieces").count();
          counting.addEventListener("success", () => {
            opening.result.close();
            resolve(counting.result);
          });
        });
      }),
  );
}
