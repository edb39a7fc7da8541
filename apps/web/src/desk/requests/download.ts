/** Gives bytes to the person as a file. */
export function giveFile(bytes: Uint8Array | Blob, name: string, mediaType: string): void {
  const url = URL.createObjectURL(bytes instanceof Blob ? bytes : new Blob([bytes.slice()], { type: mediaType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun with it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
