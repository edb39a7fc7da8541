/** How long a browser may take to begin with a download, milliseconds. */
const beginsMs = 60_000;

/** Gives the person a file, under this name. */
export function giveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), beginsMs);
}
