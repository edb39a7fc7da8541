/** Whether a file that somebody chose cannot be read any more: it was changed, moved or taken away since. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof DOMException && (error.name === "NotReadableError" || error.name === "NotFoundError");
}
