import type { MouseEvent } from "react";

/** Whether a press on a link is for this page, and not for another tab or window; where it is, the browser follows the link no further. */
export function staysHere(event: MouseEvent): boolean {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return false;
  event.preventDefault();
  return true;
}
