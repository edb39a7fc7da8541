/** Loads the page anew, with the newest build that the server has, whatever this browser keeps of the app. */
export function loadNewest(): void {
  void import("../app-worker/load-newest.ts").then(
    ({ loadNewest: load }) => load(),
    () => globalThis.location.reload(),
  );
}
