const pauseMs = 50;
const regions = "dialog, main, aside, [role=main], [role=complementary]";

/**
 * Keeps the focus where a person expects it: when what had it goes (a dialog's question answered, a row removed, one page after another),
 * the heading of the place around it has it, unless that place takes it by itself; when a button is disabled while its work is done, the
 * button gets it back. Returns how to stop.
 */
export function keepFocus(document: Document): () => void {
  let last: HTMLElement | undefined;
  let around: readonly Element[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isNowhere = (): boolean => document.activeElement === null || document.activeElement === document.body;
  const onFocusIn = ({ target }: FocusEvent): void => {
    if (!(target instanceof HTMLElement)) return;
    last = target;
    around = ancestorsOf(target);
  };
  const onFocusOut = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget !== null) return;
    // Some browsers tell of what is about to go: afterwards it is seen whether the person only clicked beside it.
    queueMicrotask(() => {
      if (isNowhere() && last?.isConnected === true && !last.matches(":disabled")) last = undefined;
    });
  };
  const mend = (): void => {
    timer = undefined;
    if (last === undefined || !isNowhere()) return;
    if (!last.isConnected) place(document, around);
    else if (!last.matches(":disabled")) last.focus({ preventScroll: true });
  };
  // What takes the focus by itself does so first.
  const observer = new MutationObserver(() => {
    if (last !== undefined && isNowhere()) timer ??= setTimeout(mend, pauseMs);
  });
  document.addEventListener("focusin", onFocusIn);
  document.addEventListener("focusout", onFocusOut);
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled"] });
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("focusin", onFocusIn);
    document.removeEventListener("focusout", onFocusOut);
  };
}

function place(document: Document, around: readonly Element[]): void {
  const region = around.find((element) => element.isConnected && element.matches(regions));
  const headings = [
    ...(region?.querySelectorAll<HTMLElement>("h1, h2, h3") ?? []),
    ...document.querySelectorAll<HTMLElement>("main h1, [role=main] h1"),
  ];
  const heading = headings.find((element) => element.getClientRects().length > 0);
  if (heading === undefined) return;
  if (!heading.hasAttribute("tabindex")) heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function ancestorsOf(element: Element): readonly Element[] {
  const found: Element[] = [];
  for (let above = element.parentElement; above !== null; above = above.parentElement) found.push(above);
  return found;
}
