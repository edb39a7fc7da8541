const replacements: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text of anybody as it may stand in an HTML page, between tags and in quoted attributes: no markup, and no characters that HTML forbids. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\P{Cc}\n\t]/gu, "\uFFFD")
    .replaceAll(/[&<>"']/g, (character) => replacements[character] ?? "");
}

/** The address of a file beside the page. */
export function pathAddress(path: string): string {
  return escapeHtml(path.split("/").map(encodeURIComponent).join("/"));
}
