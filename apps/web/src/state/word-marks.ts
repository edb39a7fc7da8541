/** How the styles call it: `::highlight(search)`. */
const name = "search";
/** More are not seen at once. */
const maxMarks = 500;

/**
 * Marks words below `root` as they are written, in the elements that `selector` names, also in what comes there later. The document is not
 * changed by it. Returns how to end it.
 */
export function markWords(root: Element, selector: string, words: ReadonlySet<string>): () => void {
  const { highlights } = CSS as { readonly highlights?: HighlightRegistry };
  if (highlights === undefined || words.size === 0) return () => undefined;
  const mark = (): void => {
    const ranges: Range[] = [];
    for (const element of root.querySelectorAll(selector)) addRanges(ranges, element, words);
    highlights.set(name, new Highlight(...ranges));
  };
  let frame = requestAnimationFrame(mark);
  const observer = new MutationObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(mark);
  });
  observer.observe(root, { childList: true, subtree: true, characterData: true });
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
    highlights.delete(name);
  };
}

function addRanges(ranges: Range[], element: Element, words: ReadonlySet<string>): void {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.nodeValue ?? "";
    for (const word of words) {
      for (let at = text.indexOf(word); at !== -1 && ranges.length < maxMarks; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
    }
  }
}
